import { closeSync, existsSync, openSync } from 'node:fs';

import { beforeEach, describe, expect, test } from '@jest/globals';

import type { Network, NodeKernel } from '../../src/agent/node-kernel.ts';
import type { Triple } from '../../src/api/triple.ts';
import type { Reading } from '../../src/policy/reading.ts';
import type { Wanted } from '../../src/policy/tighten.ts';
import type { Place } from '../../src/policy/place.ts';
import { HOST } from '../../src/policy/place.ts';
import { until } from '../cluster/wait.ts';
import { asking } from '../support/builder.ts';
import type { Machine } from './machine.ts';
import { numberInside } from './machine.ts';
import { eachWithAgent } from './machine-with-agent.ts';

const triple = (timeSeconds: number, intervalSeconds: number, probes: number): Triple => ({
  timeSeconds,
  intervalSeconds,
  probes,
});
const kernel = triple(7200, 75, 9);
const wanted = triple(30, 10, 6);
const asked = asking(90);

let machine: Machine;
let agent: NodeKernel;
eachWithAgent((...each) => ([machine, agent] = each));

const visit = (place: Place, want = asked, by = agent): Reading => {
  const [reading] = by.visit([{ place, wanted: want, anew: false, asked: true }], machine.pods);
  if (reading === undefined) throw new Error('no reading');
  return reading;
};
/** The kernel takes a namespace down some time after its last process has ended. */
const untilAbsent = (place: Place) => until('its namespace is gone', () => visit(place).state === 'absent');
const unwanted = (place: Place, by = agent) =>
  by.visit([{ place, wanted: asking(), anew: false, asked: false }], machine.pods)[0];

describe('a pod that runs', () => {
  test.each([
    { driver: 'cgroupfs' },
    { driver: 'systemd' },
    { driver: 'systemd', hostUsers: false },
  ] as const)('gets the values, and has its own again when nobody asks: %o', async (options) => {
    const pod = await machine.pod(options);
    expect(visit(pod.place)).toMatchObject({ state: 'read', now: wanted, found: kernel, wrote: wanted });
    expect(await machine.values(pod.pid)).toEqual(wanted);
    expect(unwanted(pod.place)).toMatchObject({ now: kernel, found: {} });
    expect(await machine.values(pod.pid)).toEqual(kernel);
    expect(await machine.values()).toEqual(kernel);
  });

  test('keeps what is stricter already', async () => {
    const pod = await machine.pod();
    await machine.set(pod.pid, 'time', 5);
    expect(visit(pod.place).now).toEqual(triple(5, 10, 9));
    expect(unwanted(pod.place)?.now).toEqual(triple(5, 75, 9));
  });

  test('is not written where it holds what is wanted', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    expect(visit(pod.place).wrote).toEqual({});
  });

  test('is found anew with a new sandbox, which is not taken for the old one', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    await machine.end(pod.pid);
    await untilAbsent(pod.place);
    const next = await machine.pod({ uid: pod.uid });
    await machine.set(next.pid, 'time', 60);
    expect(visit(pod.place)).toMatchObject({ found: { ...kernel, timeSeconds: 60 }, repaired: 0 });
    unwanted(pod.place);
    expect(await machine.values(next.pid)).toEqual(triple(60, 75, 9));
  });

  test('is found anew with a new sandbox although somebody holds the network of the old one', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    const held = openSync(`/proc/${pod.pid}/ns/net`, 'r');
    try {
      await machine.end(pod.pid);
      const next = await machine.pod({ uid: pod.uid });
      expect(visit(pod.place)?.now).toEqual(wanted);
      expect(await machine.values(next.pid)).toEqual(kernel);
      const asks = { place: pod.place, wanted: asked, anew: false, moved: true, asked: true };
      expect(agent.visit([asks], machine.pods)).toMatchObject([{ state: 'read', wrote: wanted }]);
      expect(await machine.values(next.pid)).toEqual(wanted);
    } finally {
      closeSync(held);
    }
  });

  test('is only read while nothing may be changed: neither set, nor put right, nor put back', async () => {
    const held = await machine.pod();
    const fresh = await machine.pod();
    visit(held.place);
    const look = (place: Place, want: Wanted) =>
      agent.visit([{ place, wanted: want, anew: false, asked: true, readOnly: true }], machine.pods)[0];
    expect(look(fresh.place, asked)).toMatchObject({ state: 'read', now: kernel, found: {}, wrote: {} });
    expect(look(held.place, asking())).toMatchObject({ now: wanted, found: kernel, wrote: {} });
    await machine.set(held.pid, 'time', 600);
    expect(look(held.place, asked)).toMatchObject({ now: { ...wanted, timeSeconds: 600 }, putRight: false });
    expect(await machine.values(fresh.pid)).toEqual(kernel);
    expect(await machine.values(held.pid)).toEqual({ ...wanted, timeSeconds: 600 });
    await machine.set(held.pid, 'time', 30);
    expect(unwanted(held.place)?.now).toEqual(kernel);
  });

  test('that vanishes keeps no other from being visited', async () => {
    const pods = [await machine.pod(), await machine.pod(), await machine.pod()];
    const all = () =>
      agent.visit(
        pods.map(({ place }) => ({ place, wanted: asked, anew: false, asked: true })),
        machine.pods,
      );
    all();
    await machine.end(pods[1]?.pid ?? 0);
    await untilAbsent(pods[1]?.place ?? HOST);
    await machine.set(pods[2]?.pid ?? 0, 'time', 7200);
    expect(all().map(({ state, now }) => [state, now.timeSeconds])).toEqual([
      ['read', 30],
      ['absent', undefined],
      ['read', 30],
    ]);
  });
});

test('a pod is found among thousands of processes, in groups of its own and of others', async () => {
  const spawnMany = ['sh', '-c', 'for n in $(seq 1500); do sleep 5000 & done; exec "$0" "$@"'];
  await machine.process(spawnMany, 'system/daemon');
  const pod = await machine.pod();
  await machine.process(['nsenter', '-t', numberInside(pod.pid), '-n', ...spawnMany], pod.group);
  expect(visit(pod.place)).toMatchObject({ state: 'read', now: wanted });
  expect(await machine.values(pod.pid)).toEqual(wanted);
}, 180_000);

test('a walk has ended once what it found is open: a tenant can lengthen that part too, and what it took is rested for', async () => {
  const pod = await machine.pod();
  const found: (Network | undefined)[] = [];
  const next = machine.agent({ onWalk: () => found.push(next.networkOf(pod.place)) });
  visit(pod.place, asked, next);
  expect(found).toEqual([next.networkOf(pod.place)]);
  expect(found).toMatchObject([{ pid: Number(numberInside(pod.pid)) }]);
  next.close();
});

describe('a process number that went to another pod', () => {
  test('leads to no other pod’s values', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    const number = Number(numberInside(pod.pid));
    await machine.end(pod.pid);
    // The next process of this machine gets the number that has just become free.
    const reuse = [
      'sh',
      '-c',
      `echo ${number - 1} > /proc/sys/kernel/ns_last_pid; unshare --net "$0" "$@" & wait`,
    ];
    const stranger = await until('the number is taken again', async () => {
      const pid = await machine.process(reuse, 'kubepods/pod00000000-0000-4000-8000-000000000001/sandbox');
      return numberInside(pid) === String(number) ? pid : undefined;
    });
    await untilAbsent(pod.place);
    expect(await machine.values(stranger)).toEqual(kernel);
  });
});

describe('the host’s own network', () => {
  test('gets the values and has its own again', async () => {
    const pod = await machine.pod();
    expect(visit(HOST)).toMatchObject({ now: wanted, found: kernel });
    expect(await machine.values()).toEqual(wanted);
    expect(await machine.values(pod.pid)).toEqual(kernel);
    unwanted(HOST);
    expect(await machine.values()).toEqual(kernel);
  });
});

describe('an agent that comes after another', () => {
  test('knows what was found, and restores it', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    const next = machine.agent();
    expect(visit(pod.place, asked, next)).toMatchObject({ found: kernel, wrote: {}, repaired: 0 });
    expect(unwanted(pod.place, next)?.now).toEqual(kernel);
    next.close();
  });

  test('holds what the one before set, before it knows any policy', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    await machine.set(pod.pid, 'time', 7200);
    const next = machine.agent();
    next.visit(next.remembered());
    expect(await machine.values(pod.pid)).toEqual(wanted);
    next.close();
  });

  test('of another boot knows nothing', async () => {
    const { Ledger } = await import('../../src/agent/ledger.ts');
    visit((await machine.pod()).place);
    expect([...Ledger.open(machine.ledgerFile, 'next-boot').entries()]).toEqual([]);
  });

  test('restores everything on the way out, and leaves no ledger', async () => {
    const pods = [await machine.pod(), await machine.pod()];
    for (const { place } of pods) visit(place);
    visit(HOST);
    await machine.end(pods[0]?.pid ?? 0);
    machine.pods.delete(pods[0]?.place ?? 'pod/none');
    const next = machine.agent();
    next.visit([], machine.pods);
    expect(next.restoreAll()).toEqual({ back: [pods[1]?.place, HOST], left: [] });
    expect(await machine.values(pods[1]?.pid)).toEqual(kernel);
    expect(await machine.values()).toEqual(kernel);
    expect(existsSync(machine.ledgerFile)).toBe(false);
    next.close();
  });

  test('tells of what it had to leave on the way out, and why, and remembers that alone', async () => {
    const [ended, running] = [await machine.pod(), await machine.pod()];
    for (const { place } of [ended, running]) visit(place);
    await machine.end(ended.pid);
    const next = machine.agent();
    expect(next.restoreAll()).toEqual({
      back: [running.place],
      left: [{ place: ended.place, reason: 'no process of it runs at this moment' }],
    });
    next.close();
    const last = machine.agent();
    expect(last.remembered().map(({ place }) => place)).toEqual([ended.place]);
    last.close();
  });

  test('forgets pods that are no more', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    machine.pods.clear();
    await machine.end(pod.pid);
    await until('it is forgotten', () => {
      visit(HOST);
      return agent.remembered().every(({ place }) => place === HOST);
    });
  });
});

describe('a value that somebody sets back', () => {
  let nowMs: number;
  beforeEach(() => {
    nowMs = 1_000_000;
    agent.close();
    agent = machine.agent({ now: () => nowMs });
  });

  test('is put right, counted, and told with what was seen', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    await machine.set(pod.pid, 'time', 600);
    expect(visit(pod.place)).toMatchObject({
      now: wanted,
      repaired: 1,
      override: { key: 'timeSeconds', seen: 600, times: 1 },
    });
  });

  test('again and again is left for a while after the third time, the others are held', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    const setBack = () => machine.set(pod.pid, 'time', 7200);
    for (let time = 1; time <= 3; time += 1) {
      await setBack();
      expect(visit(pod.place)).toMatchObject({ now: wanted, repaired: time });
    }
    await setBack();
    await machine.set(pod.pid, 'probes', 9);
    // Both are set back: neither is fought over.
    expect(visit(pod.place)).toMatchObject({ repaired: 3, now: { timeSeconds: 7200, intervalSeconds: 10 } });
    nowMs += 59_000;
    expect(visit(pod.place)).toMatchObject({ repaired: 3, now: { timeSeconds: 7200 } });
    nowMs += 1_000;
    expect(visit(pod.place)).toMatchObject({ now: wanted, repaired: 4, override: { times: 4 } });
    unwanted(pod.place);
    expect(await machine.values(pod.pid)).toEqual(kernel);
  });

  test('and is left for a while takes nothing of what still is enough with it', async () => {
    const pod = await machine.pod();
    const behindLonger = () => visit(pod.place, asking(350));
    await machine.set(pod.pid, 'time', 250);
    expect(behindLonger()).toMatchObject({ now: triple(116, 39, 6) });
    for (let time = 1; time <= 3; time += 1) {
      await machine.set(pod.pid, 'time', 250);
      expect(behindLonger()).toMatchObject({ now: triple(116, 39, 6), repaired: time });
    }
    await machine.set(pod.pid, 'time', 250);
    expect(behindLonger()).toMatchObject({ now: triple(250, 39, 6), wrote: {}, repaired: 3 });
    nowMs += 60_000;
    expect(behindLonger()).toMatchObject({ now: triple(116, 39, 6), repaired: 4 });
  });

  test('while no agent ran is put right and not called an override', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    await machine.set(pod.pid, 'time', 7200);
    const next = machine.agent();
    expect(visit(pod.place, asked, next)).toMatchObject({ now: wanted, repaired: 0 });
    next.close();
  });
});
