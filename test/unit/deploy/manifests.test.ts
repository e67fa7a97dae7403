import { expect, test } from '@jest/globals';

import { Base } from '../../../scripts/chart/base.ts';

const base = new Base({});

test('a drain is not held up by replicas that are not ready, and takes no two that are', () => {
  expect(base.at('PodDisruptionBudget', ['spec']).toJSON()).toMatchObject({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  });
});
