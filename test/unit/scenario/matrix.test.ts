import { expect, test } from '@jest/globals';

import { matrix } from '../../scenario/cell.ts';

test('the matrix has every kind of connection once', () => {
  expect(new Set(matrix.map((cell) => JSON.stringify(cell))).size).toBe(matrix.length);
  // New pods: 2 networks x asks or not x 2 families; running pods: the same, opened before and after.
  expect(matrix.filter(({ pod }) => pod === 'new')).toHaveLength(8);
  expect(matrix.filter(({ pod }) => pod === 'running')).toHaveLength(16);
});

test('a new pod has no connection that is older than the policy', () => {
  expect(matrix.filter(({ pod, opened }) => pod === 'new' && opened === 'before')).toEqual([]);
});
