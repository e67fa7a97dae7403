import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import { kernelDefaults as kernel } from '../../src/api/triple.ts';
import type { PodPlace } from '../../src/policy/place.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { asking } from '../support/builder.ts';
import { compiled } from './compiled.ts';
import type { Machine, Pod } from './machine.ts';
import { numberInside } from './machine.ts';
import { eachWithAgent } from './machine-with-agent.ts';

const wanted = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };

let machine: Machine;
let agent: NodeKernel;
eachWithAgent((...each) => ([machine, agent] = each));

const visit = (place: PodPlace) => {
  const [reading] = agent.visit([{ place, wanted: asking(90), anew: false, asked: true }], machine.pods);
  if (reading === undefined) throw new Error('no reading');
  return reading;
};

describe('of a pod with several networks', () => {
  const besides = async (pod: Pod, launcher: string[], group: string) =>
    machine.process(launcher, `${pod.group}${group}`);

  test('only the one of its sandbox is written, not what a container sets up inside', async () => {
    const pod = await machine.pod();
    const nested = await besides(pod, ['unshare', '--net'], '/nested');
    const later = await besides(pod, ['unshare', '--net'], '-container');
    visit(pod.place);
    expect(await machine.values(pod.pid)).toEqual(wanted);
    expect(await machine.values(nested)).toEqual(kernel);
    expect(await machine.values(later)).toEqual(kernel);
  });

  test('never the host’s, which a monitor of its runtime is in, older than any container', async () => {
    const uid = 'c8f5b3c6-7f3b-4a44-9d5e-2f6a0c2e9d10';
    await machine.process([], `kubepods/pod${uid}/crio-conmon-1`);
    machine.pods.set(placeOfPod(uid), { name: 'test/monitored', group: uid, containers: [] });
    expect(visit(placeOfPod(uid)).state).toBe('absent');
    const pod = await machine.pod({ uid });
    expect(visit(placeOfPod(uid)).state).toBe('read');
    expect(await machine.values(pod.pid)).toEqual(wanted);
    expect(await machine.values()).toEqual(kernel);
  });

  test('also where such a monitor stands above all containers, as of CRI-O with crun', async () => {
    const uid = 'c8f5b3c6-7f3b-4a44-9d5e-2f6a0c2e9d11';
    await machine.process([], `kubepods/pod${uid}/crio-conmon-1`);
    const container = await machine.process(['unshare', '--net'], `kubepods/pod${uid}/crio-2/container`);
    machine.pods.set(placeOfPod(uid), { name: 'test/crun', group: uid, containers: [] });
    expect(visit(placeOfPod(uid)).state).toBe('read');
    expect(await machine.values(container)).toEqual(wanted);
    expect(await machine.values()).toEqual(kernel);
  });
});

test('one is found by a program whose first thread has ended, and leads to it for as long as another goes on', async () => {
  const pod = await machine.pod();
  const inItsNetwork = ['nsenter', '-t', numberInside(pod.pid), '-n'];
  const beside = await machine.process(inItsNetwork, 'elsewhere');
  // Without a connection.
  const argv = [await compiled('peculiar', machine.folder), 'plain', '10.7.0.1', '7000', '0'];
  const program = await machine.program(pod, argv);
  await machine.end(pod.pid);
  const left = once(program.stdout ?? program, 'data');
  program.stdin?.write('leave\n');
  await left;
  expect(visit(pod.place)).toMatchObject({ state: 'read', now: wanted });
  expect(await machine.values(beside)).toEqual(wanted);
  const asks = { place: pod.place, wanted: asking(90), anew: false, moved: true, asked: true };
  const [whole] = agent.visit([asks], machine.pods);
  expect(whole).not.toHaveProperty('doubted');
  const ended = once(program, 'exit');
  program.stdin?.end();
  await ended;
  expect(agent.visit([asks], machine.pods)).toMatchObject([{ state: 'read', doubted: true }]);
});

test('one is found where nobody can tell whether anything is asked, and not where nothing is', async () => {
  const { place } = await machine.pod();
  const look = (hold: boolean) =>
    agent.visit([{ place, wanted: { asked: undefined, hold }, anew: false, asked: false }], machine.pods);
  expect(look(false)).toMatchObject([{ state: 'absent' }]);
  expect(look(true)).toMatchObject([{ state: 'read', now: kernel, wrote: {} }]);
  expect(agent.networkOf(place)).toBeDefined();
});

test('a sandbox that its runtime has not started yet is left alone, since the values of its pod are still to be written', async () => {
  const uid = '0d3c6a39-7f0e-4d52-9f3b-3b9b7d7a6f11';
  const stage = join(machine.folder, 'runc:[2:INIT]');
  symlinkSync('/usr/bin/sleep', stage);
  const starting = ['unshare', '--net', 'bash', '-c', `exec -a "$0" "${stage}" "$1"`];
  const pid = await machine.process(starting, `kubepods/pod${uid}/sandbox`);
  const place = placeOfPod(uid);
  machine.pods.set(place, { name: 'test/starting', group: uid, containers: [] });
  expect(visit(place).state).toBe('absent');
  expect(await machine.values(pid)).toEqual(kernel);
  await machine.end(pid);
  const started = await machine.pod({ uid });
  expect(visit(place).state).toBe('read');
  expect(await machine.values(started.pid)).toEqual(wanted);
});
