import { isDeepStrictEqual } from 'node:util';

import { Counter } from 'prom-client';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { ServedPlaces } from '../../../../src/agent/connections/served-places.ts';
import { createLog } from '../../../../src/ops/log.ts';
import type { SocketReading, SocketTarget } from '../../../../src/policy/connection.ts';
import type { Place } from '../../../../src/policy/place.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';
import { behind } from '../../../support/builder.ts';
import { counts, exposedBy, group, one, other, pass, PlayedKernel, reading } from './played-kernel.ts';

const counter = (name: string) => new Counter({ name, help: name, registers: [] });
const target = (place: Place, seconds = 90): SocketTarget => ({
  ...{ place, wanted: behind(seconds), timeouts: [seconds] },
});
const third = placeOfPod('third');
const exposed = exposedBy(group('', 1));

let kernel: PlayedKernel;
let places: ServedPlaces;
let left: readonly Place[];
/** How often others were left to descriptors than before. */
let hands: number;
let told: readonly SocketReading[][];
let ends: ServedPlaces[];

beforeEach(() => {
  jest.useFakeTimers();
  kernel = new PlayedKernel();
  [left, told, ends, hands] = [[], [], [], 0];
  begin();
});
afterEach(async () => {
  for (const each of ends) await each.stop();
  jest.useRealTimers();
});

function begin(): void {
  places = new ServedPlaces({
    ...{ kernel, link: kernel, countMs: 30_000, onIdle: () => undefined },
    ...{
      log: createLog({ level: 'silent', base: {} }),
      metrics: { sockets: counter('sockets'), hangs: counter('hangs') },
    },
    onLeft: (targets) => {
      const now = targets.map(({ place }) => place);
      if (!isDeepStrictEqual(now, left)) hands += 1;
      left = now;
    },
    onCounted: (readings) => {
      told = [...told, [...readings]];
    },
  });
  ends.push(places);
}

function follow(...of: readonly Place[]): Promise<void> {
  return followTargets(...of.map((place) => target(place)));
}

async function followTargets(...targets: readonly SocketTarget[]): Promise<void> {
  places.follow({
    ...{ targets, hostPods: new Set(), running: new Set(), pods: new Map() },
    held: new Set(),
  });
  await pass(100);
}

describe('a place that the kernel looks after', () => {
  test('is left to nobody else, swept once, and counted then', async () => {
    kernel.counted = { readings: [reading(one)], loosened: [] };
    await follow(one);
    expect(left).toEqual([]);
    expect(kernel.sweeps).toEqual([1n]);
    expect(told).toEqual([[reading(one)]]);
  });

  test('is not told before what was open was met', async () => {
    let letGo = () => undefined as void;
    const released = new Promise<void>((resolve) => (letGo = resolve));
    kernel.counted = { readings: [reading(one), reading(other)], loosened: [] };
    kernel.sweepOf = (cookie) =>
      cookie === 2n
        ? { network: { cookie, pid: 1 }, released }
        : { cookie, as: 'swept', repaired: 0, cpuMs: 0 };
    await follow(one, other);
    expect(told.flat().map(({ place }) => place)).toEqual([one]);
    expect(left).toEqual([other]);
    kernel.sweepOf = (cookie) => ({ cookie, as: 'swept', repaired: 0, cpuMs: 0 });
    letGo();
    await pass(1000);
    expect(left).toEqual([]);
    expect(told.at(-1)?.map(({ place }) => place)).toEqual([one, other]);
  });

  test('is not told by a count that began before all that was open was met', async () => {
    kernel.counted = { readings: [reading(other)], loosened: [] };
    await follow(other);
    kernel.counted = { readings: [reading(one), reading(other)], loosened: [] };
    [kernel.sweepTakesMs, kernel.countTakesMs] = [10_000, 15_000];
    await follow(other, one);
    await pass(12_000);
    kernel.counted = { readings: [reading(one, exposed), reading(other)], loosened: [] };
    kernel.countTakesMs = 0;
    await pass(100_000);
    expect(told.flat().find(({ place }) => place === one)).toEqual(reading(one, exposed));
  });

  test('that is counted keeps no agent from its end, however long a count takes', async () => {
    kernel.countTakesMs = 1e9;
    await follow(one);
    await pass(60_000);
    expect(kernel.counting).toBe(1);
    await places.stop();
    expect(told.flat()).toEqual([]);
  });

  test('has its process while it is swept, however long that takes and whoever asks', async () => {
    kernel.sweepTakesMs = 200_000;
    await follow(one);
    await pass(100_000);
    expect(places.isBusy).toBe(true);
    await follow();
    expect(places.isBusy).toBe(true);
    await pass(200_000);
    expect(places.isBusy).toBe(false);
  });

  test('is swept again where a connection was loosened, and told again after that', async () => {
    kernel.counted = { readings: [reading(one)], loosened: [one] };
    await follow(one);
    kernel.counted = { readings: [reading(one)], loosened: [] };
    await pass(1000);
    expect(kernel.sweeps).toEqual([1n, 1n]);
    expect(told).toHaveLength(2);
  });

  test('is told as it is where counting takes so long that it is done every two minutes: new ones have their values all the same', async () => {
    kernel.countCpuMs = 5000;
    kernel.counted = { readings: [reading(one)], loosened: [] };
    await follow(one);
    await pass(600_000);
    expect(told.length).toBeGreaterThan(2);
    expect(told.flat()).toEqual(told.map(() => reading(one)));
  });

  test('is swept again, and told after that, where the kernel has lost what it serves by', async () => {
    kernel.counted = { readings: [reading(one)], loosened: [] };
    await follow(one);
    kernel.isGone = true;
    await pass(120_000);
    expect(kernel.isGone).toBe(false);
    expect(kernel.sweeps).toEqual([1n, 1n]);
    expect(told.flat()).toEqual(told.map(() => reading(one)));
    expect(left).toEqual([]);
  });

  test('is told as unknown once counts failed three times, where nobody else can, and as it is when they do not', async () => {
    kernel.reach = { ...kernel.reach, byDescriptors: false };
    await follow(one);
    kernel.countFails = true;
    await pass(60_000);
    expect(told.at(-1)).toMatchObject([{ place: one, leftOut: { CountFails: 1 } }]);
    kernel.countFails = false;
    kernel.counted = { readings: [reading(one)], loosened: [] };
    await pass(120_000);
    expect(told.at(-1)).toEqual([reading(one)]);
  });
});

describe('is left to descriptors', () => {
  test('a place that the kernel does not serve', async () => {
    kernel.cookies.delete(other);
    await follow(one, other);
    expect(left).toEqual([other]);
  });

  test('every place, as long as the kernel cannot be told', async () => {
    await follow(one);
    kernel.followFails = true;
    await follow(one, other);
    expect(left).toEqual([one, other]);
    kernel.followFails = false;
    await pass(5000);
    expect(left).toEqual([]);
  });

  test('every place, once counts failed three times, until one does not', async () => {
    kernel.counted = { readings: [reading(one, exposed), reading(other)], loosened: [] };
    await follow(one, other);
    kernel.countFails = true;
    await pass(60_000);
    expect(left).toEqual([one, other]);
    expect(places.heard(reading(one))).toBeUndefined();
    kernel.countFails = false;
    kernel.counted = { readings: [reading(one), reading(other)], loosened: [] };
    await pass(120_000);
    expect(left).toEqual([]);
    expect(told.at(-1)).toEqual([reading(one), reading(other)]);
  });

  test('a place of which sweeps fail, while others go on', async () => {
    kernel.sweepOf = (cookie) =>
      cookie === 1n
        ? { cookie, as: 'failed', repaired: 0, cpuMs: 0, error: 'EPERM' }
        : { cookie, as: 'swept', repaired: 0, cpuMs: 0 };
    await follow(one, other);
    await pass(10_000);
    expect(left).toEqual([one]);
    kernel.sweepOf = (cookie) => ({ cookie, as: 'swept', repaired: 0, cpuMs: 0 });
    await pass(600_000);
    expect(left).toEqual([]);
  });

  test('what was not swept yet of a namespace that no more processes may be lost to, and nothing of another', async () => {
    const of = (place: Place, namespace: string) => ({ ...target(place), namespace });
    await followTargets(of(one, 'bad'));
    kernel.risky.add('bad');
    kernel.cookies.set(third, 3n);
    await followTargets(of(one, 'bad'), of(other, 'bad'), of(third, 'good'));
    expect(left).toEqual([other]);
    expect(kernel.sweeps).toEqual([1n, 3n]);
    kernel.risky.clear();
    await followTargets(of(one, 'bad'), of(other, 'bad'), of(third, 'good'));
    expect(left).toEqual([]);
    expect(kernel.sweeps).toEqual([1n, 3n, 2n]);
  });
});

describe('a place with exposed connections', () => {
  const seen = reading(one, exposedBy(group('curl', 1)));

  beforeEach(async () => {
    kernel.counted = { readings: [reading(one, exposed), reading(other)], loosened: [] };
    await follow(one, other);
  });

  test('is looked at by descriptors once, so that their programs are named, and told with the names from then on', async () => {
    expect(told.at(-1)).toEqual([reading(one, exposed), reading(other)]);
    expect(left).toEqual([one]);
    expect(places.heard(seen)).toEqual(seen);
    expect(left).toEqual([]);
    await pass(60_000);
    expect(told.at(-1)).toEqual([seen, reading(other)]);
    expect(left).toEqual([]);
  });

  test('is told as the kernel counts it where no descriptor leads to them, and not looked at all the time', async () => {
    hands = 0;
    for (let step = 0; step < 60; step += 1) {
      if (left.includes(one)) expect(places.heard(reading(one))).toEqual(reading(one, exposed));
      await pass(10_000);
    }
    expect(hands).toBeLessThan(5);
    expect(told.at(-1)).toEqual([reading(one, exposed), reading(other)]);
  });

  test('is told as the kernel counts it, however few of them descriptors lead to', async () => {
    kernel.counted = { readings: [reading(one, exposedBy(group('', 3))), reading(other)], loosened: [] };
    await pass(60_000);
    expect(places.heard(seen)).toEqual(reading(one, exposedBy(group('', 2), group('curl', 1))));
  });

  test('is looked at again where more are exposed, and no more once none is', async () => {
    places.heard(seen);
    kernel.counted = { readings: [reading(one, exposedBy(group('', 2))), reading(other)], loosened: [] };
    await pass(90_000);
    expect(left).toEqual([one]);
    kernel.counted = { readings: [reading(one), reading(other)], loosened: [] };
    await pass(60_000);
    expect(left).toEqual([]);
    expect(told.at(-1)).toEqual([reading(one), reading(other)]);
  });

  test('is told by descriptors alone where the kernel looks after it no more', async () => {
    kernel.cookies.delete(one);
    await follow(one, other);
    expect(left).toEqual([one]);
    expect(places.heard(reading(one))).toBeUndefined();
  });
});

test('however much there is to count, whoever loosens in a loop costs no more than a twentieth of a core', async () => {
  kernel.countCpuMs = 1000;
  kernel.counted = { readings: [reading(one)], loosened: [one] };
  await follow(one);
  kernel.counting = 0;
  await pass(600_000);
  expect(kernel.counting).toBeGreaterThan(5);
  expect(kernel.counting).toBeLessThanOrEqual(30);
});

describe('a connection that its program loosens', () => {
  /** When the sweeps began that came after the first one. */
  async function loosening({ cpuMs, seconds }: { cpuMs: number; seconds: number }) {
    kernel.countCpuMs = cpuMs;
    kernel.counted = { readings: [{ ...reading(one), byTimeout: { [seconds]: counts() } }], loosened: [one] };
    const sweptMs: number[] = [];
    kernel.sweepOf = (cookie) => {
      sweptMs.push(performance.now());
      return { cookie, as: 'swept', repaired: 1, cpuMs: 5 };
    };
    await followTargets(target(one, seconds));
    await pass(300_000);
    return sweptMs.slice(1);
  }
  const longestOf = (times: readonly number[]) =>
    Math.max(...times.slice(1).map((ms, at) => ms - (times[at] ?? 0)));

  test.each([
    { seconds: 10, cpuMs: 20 },
    { seconds: 30, cpuMs: 50 },
    { seconds: 90, cpuMs: 100 },
  ])('is given its values in time, and nothing is told: $seconds s, counted in $cpuMs ms', async (how) => {
    const { seconds } = how;
    // Of the timeout, a third is the time before the first probe.
    expect(longestOf(await loosening(how))).toBeLessThanOrEqual((seconds * 1000 * 2) / 3);
    expect(told.flat().filter(({ leftOut }) => leftOut.Seldom !== undefined)).toEqual([]);
  });

  test('is told to wait for too long where counting takes so much that it does', async () => {
    await loosening({ seconds: 20, cpuMs: 200 });
    // 20 s between two counts, and 7 s between two sweeps.
    expect(told.at(-1)).toMatchObject([{ place: one, leftOut: { Seldom: 32 } }]);
  });
});

test('a place of which a count does not tell all is swept again and again', async () => {
  kernel.counted = { readings: [{ ...reading(one), leftOut: { NoRoom: 1 } }], loosened: [] };
  await follow(one);
  await pass(300_000);
  expect(kernel.sweeps.length).toBeGreaterThan(5);
});
