import { readFileSync, writeFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';

import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import type { Triple } from '../../src/api/triple.ts';
import type { Place, PodPlace } from '../../src/policy/place.ts';
import { HOST, placeOfPod } from '../../src/policy/place.ts';
import type { PodIdentity } from '../../src/policy/pod-identity.ts';
import { until } from '../cluster/wait.ts';
import { asking } from '../support/builder.ts';
import type { Machine, Pod } from './machine.ts';
import { numberInside } from './machine.ts';
import { eachWithAgent } from './machine-with-agent.ts';

const kernel: Triple = { timeSeconds: 7200, intervalSeconds: 75, probes: 9 };
const wanted: Triple = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const fierce: Triple = { timeSeconds: 1, intervalSeconds: 1, probes: 2 };

let machine: Machine;
let agent: NodeKernel;
let walks: number;
eachWithAgent(
  (...each) => {
    [machine, agent] = each;
    walks = 0;
  },
  { onWalk: () => (walks += 1) },
);

/** Behind which such values are derived. */
const timeouts = new Map([
  [wanted, 90],
  [fierce, 2],
]);

const visitAll = (wishes: Readonly<Record<string, Triple | undefined>>, by = agent) => {
  const visits = Object.entries(wishes).map(([place, want]) => ({
    ...{ place: place as Place, wanted: asking(want && timeouts.get(want)) },
    ...{ anew: false, asked: want !== undefined },
  }));
  return new Map(by.visit(visits, machine.pods).map((reading) => [reading.place, reading]));
};
const visit = (place: Place, want: Triple | undefined = wanted) => visitAll({ [place]: want }).get(place);
const inApi = (name: string, { group, containers = [] }: Partial<PodIdentity> = {}): PodPlace => {
  const place = placeOfPod(`uid-of-${name}`);
  machine.pods.set(place, { name: `team/${name}`, group, containers });
  return place;
};

/** As a kubelet runs what it read from a file: in a group named by the hash of that, which the API knows nothing of. */
const hash = '5d41402abc4b2a76b9719d911017c592';
const containerId = '0a'.repeat(32);
async function staticPod(): Promise<Pod> {
  const pod = await machine.pod({ uid: hash });
  machine.pods.delete(pod.place);
  const inItsNetwork = ['nsenter', '-t', numberInside(pod.pid), '-n'];
  await machine.process(inItsNetwork, `kubepods/besteffort/pod${hash}/${containerId}`);
  return pod;
}

describe('a static pod', () => {
  test('is found by what its kubelet told of its containers, and has its own values back', async () => {
    const pod = await staticPod();
    const mirror = inApi('static-n1', { containers: [containerId] });
    expect(visit(mirror)).toMatchObject({ state: 'read', now: wanted, found: kernel });
    expect(await machine.values(pod.pid)).toEqual(wanted);
    expect(visitAll({ [mirror]: undefined }).get(mirror)).toMatchObject({ now: kernel });
  });

  test('whose copy in the API was deleted and made anew goes on with what was found', async () => {
    const pod = await staticPod();
    const mirror = inApi('static-n1', { containers: [containerId] });
    visit(mirror);
    machine.pods.delete(mirror);
    visit(HOST, undefined);
    const next = inApi('static-n1-anew', { containers: [containerId] });
    expect(visit(next)).toMatchObject({ now: wanted, found: kernel, wrote: {} });
    visitAll({ [next]: undefined });
    expect(await machine.values(pod.pid)).toEqual(kernel);
  });

  test('is held by the next agent before the API server can be asked', async () => {
    const pod = await staticPod();
    visit(inApi('static-n1', { containers: [containerId] }));
    await machine.set(pod.pid, 'time', 7200);
    const next = machine.agent();
    next.visit(next.remembered());
    expect(await machine.values(pod.pid)).toEqual(wanted);
    next.close();
  });
});

describe('a pod that says it is a mirror', () => {
  test('of the node’s own network or of another pod changes neither, with a policy and without one', async () => {
    const victim = await machine.pod();
    visitAll({ [HOST]: wanted, [victim.place]: wanted });
    // What its annotations say is not even kept; nothing but these leads anywhere.
    const liars = [inApi('liar'), inApi('host')];
    for (const want of [fierce, undefined])
      for (const liar of liars)
        expect(visitAll({ [liar]: want }).get(liar)).toMatchObject({ state: 'absent', wrote: {} });
    expect(await machine.values()).toEqual(wanted);
    expect(await machine.values(victim.pid)).toEqual(wanted);
    expect(visitAll({ [HOST]: wanted, [victim.place]: wanted }).get(victim.place)).toMatchObject({
      ...{ wrote: {}, repaired: 0 },
    });
  });
});

describe('two pods that lead to the same processes', () => {
  const claimed = async () => {
    const victim = await machine.pod();
    const inItsNetwork = ['nsenter', '-t', numberInside(victim.pid), '-n'];
    await machine.process(inItsNetwork, `kubepods/besteffort/pod${victim.uid}/${containerId}`);
    visit(victim.place);
    return { victim, liar: inApi('liar', { containers: [containerId] }) };
  };

  test('are told of each other, and nothing is tightened', async () => {
    const { victim, liar } = await claimed();
    const readings = visitAll({ [liar]: fierce });
    expect(readings.get(liar)).toMatchObject({ state: 'contested', reason: `test/${victim.uid}` });
    expect(readings.get(victim.place)).toMatchObject({ state: 'contested', reason: 'team/liar' });
    expect(visit(victim.place, fierce)).toMatchObject({ state: 'contested', wrote: {} });
    expect(await machine.values(victim.pid)).toEqual(wanted);
  });

  test('have nothing put back, by this agent or the next, not even on the way out', async () => {
    const { victim, liar } = await claimed();
    visitAll({ [liar]: fierce });
    visitAll({ [victim.place]: undefined, [liar]: undefined });
    agent.restoreAll();
    expect(await machine.values(victim.pid)).toEqual(wanted);
    const next = machine.agent();
    visitAll({ [victim.place]: undefined, [liar]: fierce }, next);
    expect(await machine.values(victim.pid)).toEqual(wanted);
    next.close();
  });

  test('go on where they were once one of them is gone', async () => {
    const { victim, liar } = await claimed();
    visitAll({ [liar]: fierce });
    machine.pods.delete(liar);
    expect(visit(victim.place)).toMatchObject({ state: 'read', now: wanted, found: kernel, repaired: 0 });
    visitAll({ [victim.place]: undefined });
    expect(await machine.values(victim.pid)).toEqual(kernel);
  });
});

test('a ledger that somebody changed leads to no other pod once the API server was asked', async () => {
  const [victim, own] = [await machine.pod(), await machine.pod()];
  visit(victim.place);
  const text = readFileSync(machine.ledgerFile, 'utf8');
  writeFileSync(machine.ledgerFile, text.replaceAll(victim.place, own.place));
  const next = machine.agent();
  next.visit(next.remembered());
  visitAll({ [own.place]: fierce }, next);
  expect(await machine.values(own.pid)).toEqual(fierce);
  visitAll({ [own.place]: undefined }, next);
  expect(await machine.values(own.pid)).toEqual(kernel);
  expect(await machine.values(victim.pid)).toEqual(wanted);
  next.close();
});

describe('all processes are gone through', () => {
  const places = (count: number) =>
    Array.from({ length: count }, (_, at) => inApi(`starting-${at}`, { group: `${at}`.padStart(36, '0') }));
  const all = (of: readonly Place[], want: Triple | undefined) =>
    visitAll(Object.fromEntries(of.map((place) => [place, want])));

  test('never where nobody asks for anything', () => {
    all([HOST, ...places(60)], undefined);
    expect(walks).toBe(0);
  });

  test('once for a hundred pods that have no sandbox yet', () => {
    const readings = all(places(100), wanted);
    expect([...readings.values()].every(({ state }) => state === 'absent')).toBe(true);
    expect(walks).toBe(1);
  });

  test('not again for whom was found, until its sandbox is gone', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    visit(pod.place, fierce);
    visitAll({ [pod.place]: undefined });
    expect(walks).toBe(1);
  });

  test('for a pod that nobody asks for any more, where something is to be put back', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    const next = machine.agent();
    visitAll({ [pod.place]: undefined }, next);
    expect(await machine.values(pod.pid)).toEqual(kernel);
    next.close();
  });
});

test('what starts a container, in the host’s network first and then in its own, is never given the host’s values', async () => {
  const uid = 'c8f5b3c6-7f3b-4a44-9d5e-2f6a0c2e9d10';
  const place = placeOfPod(uid);
  machine.pods.set(place, { name: 'team/starting', group: uid, containers: [] });
  // As runc init does: one process, which waits for a word in the network of the host.
  const go = '/run/go';
  const starter = ['sh', '-c', `while [ ! -e ${go} ]; do sleep 0.01; done; exec unshare --net "$0" "$@"`];
  const child = machine.host.spawn([...starter, 'sleep', '99999'], { cwd: '/' });
  const { processes } = await import('../cluster/process.ts');
  const started = await until('it runs', () =>
    processes().find(({ argv }) => argv[0] === 'sh' && argv.at(-1) === '99999'),
  );
  machine.join(started.pid, `kubepods/besteffort/pod${uid}/sandbox`);
  expect(visitAll({ [HOST]: fierce, [place]: wanted }).get(place)).toMatchObject({ state: 'absent' });
  expect(await machine.values()).toEqual(fierce);
  await machine.host.execOrThrow(['touch', go], { cwd: '/' });
  await until('it is in its own network', () => visit(place)?.state === 'read');
  expect(await machine.values(started.pid)).toEqual(wanted);
  visitAll({ [HOST]: undefined });
  expect(await machine.values(started.pid)).toEqual(wanted);
  expect(await machine.values()).toEqual(kernel);
  child.kill('SIGKILL');
});
