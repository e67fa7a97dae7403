import { Counter } from 'prom-client';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

import { ServedPlaces } from '../../../../src/agent/connections/served-places.ts';
import { createLog } from '../../../../src/ops/log.ts';
import { meansWithoutProgram } from '../../../../src/policy/connection-means.ts';
import type { Place } from '../../../../src/policy/place.ts';
import { behind } from '../../../support/builder.ts';
import { exposedBy, group, one, other, pass, PlayedKernel, reading } from './played-kernel.ts';

const counter = (name: string) => new Counter({ name, help: name, registers: [] });

let places: ServedPlaces;
beforeEach(() => void jest.useFakeTimers());
afterEach(async () => {
  await places.stop();
  jest.useRealTimers();
});

test('every place is left to descriptors while what serves them is gone, and swept anew when it is there again', async () => {
  const kernel = new PlayedKernel();
  let left: readonly Place[] = [];
  places = new ServedPlaces({
    ...{ kernel, link: kernel, countMs: 30_000, onIdle: () => undefined, onCounted: () => undefined },
    ...{ log: createLog({ level: 'silent', base: {} }) },
    metrics: { sockets: counter('sockets'), hangs: counter('hangs') },
    onLeft: (targets) => (left = targets.map(({ place }) => place)),
  });
  const follow = async () => {
    const targets = [one, other].map((place) => ({ place, wanted: behind(90), timeouts: [90] }));
    const none = { hostPods: new Set<never>(), running: new Set<never>(), held: new Set<never>() };
    places.follow({ ...none, targets, pods: new Map() });
    await pass(2000);
  };
  // Such a one is named by descriptors, and told as the kernel counted it.
  kernel.counted = { readings: [reading(one, exposedBy(group('', 1))), reading(other)], loosened: [] };
  await follow();
  expect([left, kernel.sweeps]).toEqual([[one], [1n, 2n]]);

  const { reach } = kernel;
  const cookies = [...kernel.cookies];
  kernel.cookies.clear();
  const means = meansWithoutProgram('no BPF file system at /sys/fs/bpf', undefined);
  kernel.reach = { ...reach, means, mayBeLoaded: true };
  await follow();
  expect(left).toEqual([one, other]);
  expect(places.heard(reading(one))).toBeUndefined();
  const { counting } = kernel;
  await pass(120_000);
  expect(kernel.counting).toBe(counting);

  for (const [place, cookie] of cookies) kernel.cookies.set(place, cookie);
  [kernel.reach, kernel.sweeps] = [reach, []];
  kernel.counted = { readings: [reading(one), reading(other)], loosened: [] };
  await follow();
  expect([left, kernel.sweeps]).toEqual([[], [1n, 2n]]);
});
