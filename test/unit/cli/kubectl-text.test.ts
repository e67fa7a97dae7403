import { expect, test } from '@jest/globals';

import { slipIn } from '../../../src/cli/kubectl-text.ts';
import { remarked } from './remarked.ts';

const json = '{"a":"\x7F",\n\t\n"b":1}\n';

test.each<[string, string, number | undefined]>([
  ['a blank line', 'a:\n\t\n  b: c\n', 3],
  ['spaces and a tab', 'a:\n  \t\n  b: c\n', 5],
  ['a tab before a comment', 'a:\n\t# c\n  b: c\n', 3],
  ['the last line', 'a: {b: c}\n\t', 10],
  ['below a scalar, not further in', 'a:\n  b: c\n  \t\n  d: e\n', 12],
  ['below a scalar, further in', 'a:\n  b: c\n   \t\n  d: e\n', undefined],
  ['in a scalar that begins below its key', 'a:\n  b:\n      c\n    \td\n  e: f\n', undefined],
  ['below a scalar that begins below its key', 'a:\n  b:\n      c\n    \t\n  e: f\n', undefined],
  ['at the start of a line below it', 'a:\n  b:\n      c\n\t\n  e: f\n', 16],
  ['below a comment, further in', 'a:\n  b: c # d\n    \t\n', 18],
  ['within a scalar', 'a:\n  b: c\n    \td\n', undefined],
  ['within a block', 'a: |\n  b\n  \t\n  c\n', undefined],
  ['within a block, not as far in', 'a: |\n  b\n \t\n  c\n', 10],
  ['before the first line of a block', 'a: |\n  \t\n  b\n', 7],
  ['within brackets', 'a: {\n  b: c,\n\t\n  d: e }\n', undefined],
  ['behind a value', 'a:\t# c\n  b: c\t\n', undefined],
  ['a bell', 'a: "b\x07"\n', 5],
  ['a delete, in a comment', '# \x7F\n', 2],
  ['a form feed', 'a: b\n\f\n', 5],
  ['a line end of its own, and an emoji', '# \u0085 \u{1F600}\n', undefined],
  ['JSON', json, undefined],
])('what kubectl cannot read is told of, and nothing else: %s', (_sentence, text, offset) => {
  expect(slipIn(text)?.offset).toBe(offset);
});

test('check says so', async () => {
  const policy = 'apiVersion: keepalive.dev/v1alpha1\nkind: KeepalivePolicy\n\t# the path\nspec: {}\n';
  expect(await remarked(policy)).toEqual([
    'unreadable: it cannot be read as YAML: kubectl takes no tab at the start of this line: remove it, or write spaces',
  ]);
});
