import { expect, jest, test } from '@jest/globals';

import { Activations } from '../../../src/controller/activation.ts';
import type { Look } from '../../../src/controller/look.ts';
import { Pace } from '../../../src/controller/pace.ts';
import { Readings } from '../../../src/controller/reading.ts';
import type { ReconcilerOptions } from '../../../src/controller/reconciler.ts';
import { Reconciler } from '../../../src/controller/reconciler.ts';
import { createControllerMetrics } from '../../../src/ops/controller-metrics.ts';
import { plan } from '../../../src/policy/plan.ts';
import { HandClock } from '../kube/hand-clock.ts';
import { circumstances, record, settled } from '../policy/plan-rig.ts';
import { quiet } from './quiet-metrics.ts';

type Parts = Pick<ReconcilerOptions['looks'], 'at'> & Partial<ReconcilerOptions['applier']>;

function rigOf({ at, ...applier }: Parts) {
  const clock = new HandClock();
  const readings = new Readings();
  const metrics = createControllerMetrics({
    ...quiet,
    leading: () => true,
    policies: () => readings.values(),
  });
  const onActivation = jest.fn();
  const reconciler = new Reconciler({
    ...{ looks: { at }, metrics, readings, onActivation },
    ...{ activations: new Activations(clock), pace: new Pace(clock) },
    applier: {
      apply: () => Promise.resolve(undefined),
      clearOrphan: () => Promise.resolve(),
      ...applier,
    },
  });
  const counted = async () =>
    (await metrics.reconciles.get()).values.map(({ labels, value }) => [labels.kind, labels.outcome, value]);
  return { reconciler, counted, readings, onActivation };
}

const lookAt = (of: Parameters<typeof plan>[0]): Look => ({ circumstances: of, planned: plan(of) });
const refused = () => Promise.reject(new Error('403 Forbidden'));

test.each([
  ['a look, for which words of agents are read', 'db/p', 'KeepalivePolicy', { at: refused }],
  [
    'a write',
    'platform',
    'ClusterKeepalivePolicy',
    { at: () => Promise.resolve(lookAt(settled())), apply: refused },
  ],
  [
    'clearing up after a policy that is gone',
    'platform',
    'ClusterKeepalivePolicy',
    { at: () => Promise.resolve(undefined), clearOrphan: refused },
  ],
])('%s that fails is counted as failed, and tried again', async (_what, key, kind, parts) => {
  const { reconciler, counted } = rigOf(parts);
  await expect(reconciler.reconcile(key)).rejects.toThrow('403');
  expect(await counted()).toEqual([[kind, 'failed', 1]]);
});

test.each(['another', undefined] as const)(
  'where there is nothing to be done (%s) nothing is counted',
  async (look) => {
    const { reconciler, counted } = rigOf({ at: () => Promise.resolve(look) });
    expect(await reconciler.reconcile('platform')).toBeUndefined();
    expect(await counted()).toEqual([]);
  },
);

test('what is carried out is counted by how it ended, and looked at again when the first of both asks for it', async () => {
  const first = lookAt(circumstances(record()));
  const { reconciler, counted, readings, onActivation } = rigOf({
    at: () => Promise.resolve(first),
    apply: () => Promise.resolve(200),
  });
  expect(await reconciler.reconcile('platform')).toEqual({ afterMs: 200 });
  expect(await counted()).toEqual([['ClusterKeepalivePolicy', 'again', 1]]);
  expect(onActivation).toHaveBeenCalledTimes(1);
  expect([...readings.values()].map(({ name }) => name)).toEqual(['platform']);
});
