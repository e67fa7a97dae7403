import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import { kernelDefaults } from '../../src/api/triple.ts';
import type { PodPlace } from '../../src/policy/place.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { until } from '../cluster/wait.ts';
import { asking } from '../support/builder.ts';
import type { Machine } from './machine.ts';
import { eachWithAgent } from './machine-with-agent.ts';

let machine: Machine;
let agent: NodeKernel;
eachWithAgent((...each) => ([machine, agent] = each));

const visit = (place: PodPlace, by = agent) => {
  const [reading] = by.visit([{ place, wanted: asking(90), anew: false, asked: true }], machine.pods);
  if (reading === undefined) throw new Error('no reading');
  return reading;
};

/** A pod whose first process is started so. */
async function started(launcher: readonly string[]): Promise<{ place: PodPlace; pid: number }> {
  const uid = '5f0d4f39-2b6a-4f0e-8f60-6f4f8c1b7a01';
  const place = placeOfPod(uid);
  const pid = await machine.process(launcher, `kubepods/pod${uid}/sandbox`);
  machine.pods.set(place, { name: 'test/sandboxed', group: uid, containers: [] });
  return { place, pid };
}

/** A program of this machine under another name. */
function copied(program: string, name: string): string {
  const path = join(machine.folder, name);
  copyFileSync(program, path);
  return path;
}

const inGvisor = { state: 'sandboxed', sandbox: 'gVisor', now: {}, wrote: {} };

test('a pod whose first process is gVisor’s is told of, and nothing is written to its network', async () => {
  const runsc = copied('/usr/bin/sleep', 'runsc');
  const { place, pid } = await started(['unshare', '--net', 'bash', '-c', `exec -a "$0" "${runsc}" "$1"`]);
  expect(visit(place)).toMatchObject(inGvisor);
  expect(await machine.values(pid)).toEqual(kernelDefaults);
});

test('so is one whose first process its shim has started, whatever that is called', async () => {
  const shim = copied('/bin/bash', 'containerd-shim-runsc-v1');
  const { place, pid } = await started([shim, '-c', 'unshare --net "$0" "$1" & wait']);
  expect(visit(place)).toMatchObject(inGvisor);
  expect(await machine.values(pid)).toEqual(kernelDefaults);
});

test('a pod whose network goes through a virtual machine of Kata has back what an agent before gave it', async () => {
  const pod = await machine.pod();
  expect(visit(pod.place)).toMatchObject({ state: 'read', now: { timeSeconds: 30 } });
  await machine.run(pod, 'ip', 'tuntap', 'add', 'dev', 'tap0_kata', 'mode', 'tap');
  const next = machine.agent();
  expect(visit(pod.place, next)).toMatchObject({ state: 'sandboxed', sandbox: 'Kata', now: {} });
  expect(await machine.values(pod.pid)).toEqual(kernelDefaults);
  // It is known, and gone with its process.
  expect(visit(pod.place, next).state).toBe('sandboxed');
  await machine.end(pod.pid);
  // The kernel takes a network down when it comes to it.
  await until('its network is gone', () => visit(pod.place, next).state === 'absent');
  next.close();
});
