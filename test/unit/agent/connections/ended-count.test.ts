import { Counter } from 'prom-client';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

import { ServedPlaces } from '../../../../src/agent/connections/served-places.ts';
import { createLog } from '../../../../src/ops/log.ts';
import { behind } from '../../../support/builder.ts';
import { one, PlayedKernel } from './played-kernel.ts';

const counter = (name: string) => new Counter({ name, help: name, registers: [] });

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('a count keeps no agent from its end, however long it takes', async () => {
  const kernel = new PlayedKernel();
  kernel.countTakesMs = 1e9;
  const places = new ServedPlaces({
    ...{ kernel, link: kernel, countMs: 30_000, onIdle: () => undefined, onLeft: () => undefined },
    ...{ log: createLog({ level: 'silent', base: {} }), onCounted: () => undefined },
    metrics: { sockets: counter('sockets'), hangs: counter('hangs') },
  });
  const targets = [{ place: one, wanted: behind(90), timeouts: [90] }];
  const none = { hostPods: new Set<never>(), running: new Set<never>(), held: new Set<never>() };
  places.follow({ ...none, targets, pods: new Map() });
  await jest.advanceTimersByTimeAsync(60_000);
  expect(kernel.counting).toBe(1);
  await places.stop();
});
