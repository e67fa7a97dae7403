import { expect, test } from '@jest/globals';

import { Base } from '../../../scripts/chart/base.ts';

const base = new Base({});

test('a drain is not held up by replicas that are not ready, and takes no two that are', () => {
  expect(base.at('PodDisruptionBudget', ['spec']).toJSON()).toMatchObject({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  });
});

test.each(['Deployment', 'DaemonSet'])(
  'no pod of the %s is sent to a node of Windows, which no taint may keep it from',
  (kind) => {
    const path = ['spec', 'template', 'spec', 'nodeSelector'];
    expect(base.at(kind, path).toJSON()).toEqual({ 'kubernetes.io/os': 'linux' });
  },
);
