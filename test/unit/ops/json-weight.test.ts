import { expect, test } from '@jest/globals';

import { deepest, isTooHeavy, mostValues } from '../../../src/ops/json-weight.ts';

const nested = (depth: number) => '{"a":['.repeat(depth / 2) + ']}'.repeat(depth / 2);

test.each<[string, string, boolean]>([
  ['nothing', '', false],
  ['as many values as may be', `[${'0,'.repeat(mostValues - 1)}0]`, false],
  ['one value more', `[${'0,'.repeat(mostValues)}0]`, true],
  ['objects, each after a comma', `[${'{},'.repeat(mostValues / 2)}{}]`, true],
  ['as deep as may be', nested(deepest), false],
  ['deeper', nested(deepest + 2), true],
  ['one beside the other, none of them deep', `[${'[],{},'.repeat(deepest)}0]`, false],
  ['a string of what is counted elsewhere', JSON.stringify('{[,'.repeat(mostValues)), false],
  ['a string with quotes and a backslash at its end', JSON.stringify(`${'",['.repeat(mostValues)}\\`), false],
  ['the same before what is too much', `["\\\\",${'[],'.repeat(mostValues)}0]`, true],
  ['a string that does not end', `"${'['.repeat(mostValues)}\\`, false],
])('%s', (_what, json, expected) => {
  expect(isTooHeavy(Buffer.from(json))).toBe(expected);
});
