import { Counter } from 'prom-client';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { ServedPlaces } from '../../../../src/agent/connections/served-places.ts';
import { createLog } from '../../../../src/ops/log.ts';
import type { SocketReading } from '../../../../src/policy/connection.ts';
import type { Place } from '../../../../src/policy/place.ts';
import { behind } from '../../../support/builder.ts';
import { one, other, pass, PlayedKernel } from './played-kernel.ts';

const counter = (name: string) => new Counter({ name, help: name, registers: [] });
const none = { hostPods: new Set<never>(), running: new Set<never>(), held: new Set<never>() };

let kernel: PlayedKernel;
let places: ServedPlaces;
/** Each time that others were told whom to look at. */
let left: readonly Place[][];
let told: readonly (readonly SocketReading[])[];
beforeEach(() => {
  jest.useFakeTimers();
  [kernel, left, told] = [new PlayedKernel(), [], []];
  places = new ServedPlaces({
    ...{ kernel, link: kernel, countMs: 30_000, onIdle: () => undefined },
    ...{ log: createLog({ level: 'silent', base: {} }) },
    metrics: { sockets: counter('sockets'), hangs: counter('hangs') },
    onLeft: (targets) => (left = [...left, targets.map(({ place }) => place)]),
    onCounted: (readings) => (told = [...told, readings]),
  });
});
afterEach(async () => {
  await places.stop();
  jest.useRealTimers();
});

/** Each behind so many seconds. */
async function follow(...of: readonly (readonly [Place, number])[]): Promise<void> {
  const targets = of.map(([place, seconds]) => ({ place, wanted: behind(seconds), timeouts: [seconds] }));
  places.follow({ ...none, targets, pods: new Map() });
  await pass(100);
}

describe('where the kernel does not count', () => {
  beforeEach(() => {
    const means = { by: 'BPF', countedBy: 'Descriptors', why: 'EPERM at attach known' } as const;
    kernel.reach = { ...kernel.reach, means };
  });

  test('what was open is swept once, and again when other values are ordered, and others go on looking', async () => {
    await follow([one, 90], [other, 90]);
    expect(kernel.sweeps).toEqual([1n, 2n]);
    await pass(300_000);
    await follow([one, 60], [other, 90]);
    expect(kernel.sweeps).toEqual([1n, 2n, 1n]);
    expect([kernel.counting, told, left]).toEqual([0, [], []]);
  });

  test('and does not sweep either, nothing is', async () => {
    kernel.reach = { ...kernel.reach, pins: undefined };
    await follow([one, 90]);
    expect(kernel.sweeps).toEqual([]);
  });

  test('a sweep that hangs keeps that network from another, and takes nothing from whoever looks', async () => {
    kernel.sweepOf = (cookie) => ({ network: { cookie, pid: 1 }, released: new Promise(() => undefined) });
    await follow([one, 90]);
    await pass(300_000);
    expect([kernel.sweeps, left]).toEqual([[1n], []]);
  });
});

test('whoever came while what counted went is left to others at once', async () => {
  await follow([one, 90]);
  expect(left.at(-1)).toEqual([]);
  const means = { by: 'Descriptors', countedBy: 'Descriptors', why: 'EIO' } as const;
  kernel.followConnections = () => {
    kernel.reach = { ...kernel.reach, means, pins: undefined };
    return Promise.resolve({ served: [], againMs: undefined, refused: {} });
  };
  await follow([one, 90], [other, 90]);
  expect(left.at(-1)).toEqual([one, other]);
});
