import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import { kernelDefaults } from '../../src/api/triple.ts';
import type { PodPlace } from '../../src/policy/place.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { asking } from '../support/builder.ts';
import { Machine } from './machine.ts';

let machine: Machine;
let agent: NodeKernel;
beforeEach(async () => {
  machine = await Machine.start();
  agent = machine.agent();
});
afterEach(async () => {
  agent.close();
  await machine.stop();
});

const stateOf = (place: PodPlace) =>
  agent.visit([{ place, wanted: asking(90), anew: false, asked: true }], machine.pods)[0]?.state;

test('a sandbox that its runtime has not started yet is left alone, since the values of its pod are still to be written', async () => {
  const uid = '0d3c6a39-7f0e-4d52-9f3b-3b9b7d7a6f11';
  const stage = join(machine.folder, 'runc:[2:INIT]');
  symlinkSync('/usr/bin/sleep', stage);
  const starting = ['unshare', '--net', 'bash', '-c', `exec -a "$0" "${stage}" "$1"`];
  const pid = await machine.process(starting, `kubepods/pod${uid}/sandbox`);
  const place = placeOfPod(uid);
  machine.pods.set(place, { name: 'test/starting', group: uid, containers: [] });
  expect(stateOf(place)).toBe('absent');
  expect(await machine.values(pid)).toEqual(kernelDefaults);
  await machine.end(pid);
  const started = await machine.pod({ uid });
  expect(stateOf(place)).toBe('read');
  expect(await machine.values(started.pid)).toEqual({ timeSeconds: 30, intervalSeconds: 10, probes: 6 });
});
