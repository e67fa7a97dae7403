import { expect, test } from '@jest/globals';

import { parseYaml, plainOf } from '../../../src/cli/yaml-text.ts';

test.each<[string, unknown]>([
  ['on', true],
  ['No', false],
  ['y', 'y'],
  ['N', 'N'],
  ['0644', 420],
  ['12:30', '12:30'],
  ['2026-01-01', '2026-01-01'],
  ['1_000', 1000],
  ['90.0', 90],
  ['"on"', 'on'],
  ['~', null],
])('as kubectl reads it, %s is %s', (text, value) => {
  expect(parseYaml(`a: ${text}\n`).documents[0]?.toJS()).toEqual({ a: value });
});

test('merge keys are followed, and a key that is there twice is an error', () => {
  const merged = parseYaml('a: &a { x: 1 }\nb:\n  <<: *a\n  y: 2\n').documents[0];
  expect(merged?.toJS()).toEqual({ a: { x: 1 }, b: { x: 1, y: 2 } });
  expect(parseYaml('a: 1\na: 2\n').documents[0]?.errors).toHaveLength(1);
});

test.each(['a: {{ b }}\n', 'a: [{ [x]: 1 }]\n', '? - x\n: 1\n', 'a: &a { x: 1 }\nb:\n  *a : 1\n'])(
  'a key that is no scalar is told of, as kubectl does: %j',
  (text) => {
    const [document] = parseYaml(text).documents;
    expect(document && plainOf(document).problem?.message).toContain('invalid map key');
  },
);
