import { setImmediate } from 'node:timers/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Reach } from '../../../src/agent/kernel-link.ts';
import { Rounds } from '../../../src/agent/rounds.ts';
import { Standstill } from '../../../src/agent/standstill.ts';
import { World } from '../../../src/agent/world.ts';
import { createAgentMetrics } from '../../../src/ops/agent-metrics.ts';
import { createLog } from '../../../src/ops/log.ts';
import { meansWithoutProgram } from '../../../src/policy/connection-means.ts';
import { HandClock } from '../kube/hand-clock.ts';

/** What hinders a whole node cannot be made on this one. */
class Hindered {
  isFree = false;
  isBlind = false;
  visits = 0;
  reach: Reach | undefined;

  visit() {
    this.visits += 1;
    return this.isFree
      ? Promise.resolve({ readings: [], walkMs: undefined })
      : Promise.reject(new Error('ENAMETOOLONG: read'));
  }

  holdRemembered() {
    return this.visit();
  }

  discover() {
    return this.isBlind ? Promise.reject(new Error('EACCES: open')) : Promise.resolve(undefined);
  }
}

let folder: string;
let clock: HandClock;
let kernel: Hindered;
let rounds: Rounds;
let world: World;
let standstill: Standstill;
let isLast: boolean;
let followed: number;
let reports: unknown[];
let lines: string[];
beforeEach(() => {
  reports = [];
  lines = [];
  folder = mkdtempSync(join(tmpdir(), 'keepalive-rounds-'));
  clock = new HandClock();
  kernel = new Hindered();
  world = new World('n1', 'agents', clock);
  standstill = new Standstill(join(folder, 'standstill'));
  isLast = false;
  followed = 0;
  rounds = new Rounds({
    ...{ kernel, clock, world, standstill, isLast: () => isLast },
    connections: { follow: () => void (followed += 1), sockets: undefined },
    reporter: { offer: (make) => reports.push(make()) },
    log: createLog({ level: 'warn', base: {}, destination: { write: (line) => void lines.push(line) } }),
    metrics: createAgentMetrics({ version: 'test', places: () => 0, reflectors: () => [] }),
    ...{ node: 'n1', version: 'test', peers: 'Hide', resyncMs: 30_000 },
  });
});
afterEach(async () => {
  await rounds.stop();
  rmSync(folder, { recursive: true });
});

/** Events come ten times a second. */
async function pass(seconds: number): Promise<void> {
  for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
    clock.advance(100);
    rounds.request();
    await setImmediate();
    await setImmediate();
  }
}

test('a node that cannot be looked at for a minute is told of, until it can be', async () => {
  rounds.start();
  await pass(55);
  expect(rounds.failure).toBeUndefined();
  await pass(10);
  expect(rounds.failure).toMatch(/could not be looked at for 6\d s, .*: ENAMETOOLONG: read$/);
  kernel.isFree = true;
  await pass(11);
  expect(rounds.failure).toBeUndefined();
});

test('rounds that fail rest longer and longer, however many events come', async () => {
  rounds.start();
  await pass(60);
  // 50 ms, doubled up to 10 s, of which half may be left out by chance.
  expect(kernel.visits).toBeLessThan(25);
  kernel.isFree = true;
  await pass(11);
  const before = kernel.visits;
  await pass(35);
  expect(kernel.visits).toBeGreaterThan(before);
});

test('values are held at once, and told when it is known how connections are reached', async () => {
  kernel.isFree = true;
  rounds.start();
  await pass(1);
  expect(kernel.visits).toBeGreaterThan(0);
  expect(reports).toEqual([]);
  const means = meansWithoutProgram('no BTF', undefined);
  kernel.reach = { means, pins: undefined, byDescriptors: true };
  await pass(1);
  expect(reports[0]).toMatchObject({ connections: { by: 'Descriptors', why: 'no BTF' } });
});

test('what hinders looking through the node is said once, and once more after it could be', async () => {
  kernel.isFree = true;
  kernel.isBlind = true;
  rounds.start();
  const said = () => lines.filter((line) => line.includes('node not looked through')).length;
  await pass(100);
  expect(said()).toBe(1);
  kernel.isBlind = false;
  await pass(31);
  kernel.isBlind = true;
  await pass(31);
  expect(said()).toBe(2);
});

describe('once the ConfigMap of the settings is gone', () => {
  beforeEach(async () => {
    kernel.isFree = true;
    kernel.reach = { means: meansWithoutProgram('no BTF', undefined), pins: undefined, byDescriptors: true };
    world.configmaps.set('settings', { uid: 'c', data: { acting: 'Audit' } });
    rounds.start();
    await pass(1);
    expect(standstill.isNoted).toBe(true);
  });

  test('the defaults hold after a minute, and not before: what takes the rest away may be on its way', async () => {
    world.configmaps.delete('settings');
    await pass(58);
    expect([standstill.isNoted, world.settings.settings.acting]).toEqual([true, 'Audit']);
    await pass(5);
    expect([standstill.isNoted, world.settings.settings.acting]).toEqual([false, 'Enforce']);
  });

  test('an agent that no other follows looks nowhere and orders nothing, until one does', async () => {
    const before = [kernel.visits, followed, reports.length];
    isLast = true;
    world.configmaps.delete('settings');
    await pass(100);
    expect([kernel.visits, followed, reports.length]).toEqual(before);
    expect(standstill.isNoted).toBe(true);
    isLast = false;
    await pass(1);
    expect(followed).toBeGreaterThan(before[1] ?? 0);
    expect(standstill.isNoted).toBe(false);
  });
});
