import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';

import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import type { Reading } from '../../src/policy/reading.ts';
import type { Place } from '../../src/policy/place.ts';
import { asking } from '../support/builder.ts';
import type { Machine } from './machine.ts';
import { numberInside } from './machine.ts';
import { eachWithAgent } from './machine-with-agent.ts';

const wanted = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const asked = asking(90);

let machine: Machine;
let agent: NodeKernel;
eachWithAgent((...each) => ([machine, agent] = each));

const visit = (place: Place): Reading | undefined =>
  agent.visit([{ place, wanted: asked, anew: false, asked: true }], machine.pods)[0];

test('a pod is found beside a process of which the kernel does not tell where it stands', async () => {
  const hidden = await machine.process(['setsid'], 'system/hidden');
  const number = numberInside(hidden);
  // What is at the beginning of its memory nobody can read.
  const hide = ['mount', '--bind', `/proc/${number}/mem`, `/proc/${number}/cgroup`];
  await machine.host.execOrThrow(hide, { cwd: '/' });
  expect(() => readFileSync(`${machine.procRoot}/${number}/cgroup`)).toThrow('EIO');
  const pod = await machine.pod();
  expect(visit(pod.place)).toMatchObject({ state: 'read', now: wanted });
  expect(await machine.values(pod.pid)).toEqual(wanted);
});
