import { expect, test } from '@jest/globals';

import { waitedFor } from '../../../src/policy/waited-for.ts';

const edition = { generation: 2, digest: 7 };

test.each([
  ['one that is awaited no more is waited for no more', ['n1', 'n2'], ['n2'], ['n2']],
  ['one that is awaited since is not waited for', ['n1'], ['n0', 'n1', 'n2'], ['n1']],
  ['one that was waited for and was awaited no more is not waited for again', [], ['n1'], []],
])('%s', (_sentence, nodes, awaited, expected) => {
  expect(waitedFor(edition, awaited, { edition, nodes })).toEqual({ edition, nodes: expected });
});

test.each([
  ['the first look at all', undefined],
  ['another generation', { ...edition, generation: 1 }],
  ['another object of that name, or other values', { ...edition, digest: 8 }],
])('at %s all are waited for that are awaited', (_sentence, other) => {
  const before = other && { edition: other, nodes: [] };
  expect(waitedFor(edition, ['n1', 'n2'], before)).toEqual({ edition, nodes: ['n1', 'n2'] });
});
