import { expect, test } from '@jest/globals';

import { parseYaml, plainOf } from '../../../src/cli/yaml-text.ts';

test.each<[string, unknown]>([
  ['on', true],
  ['No', false],
  ['y', true],
  ['Y', true],
  ['n', false],
  ['N', false],
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
  const merged = parseYaml('a: &a { x: 1 }\nb:\n  <<: *a\n  z: 2\n').documents[0];
  expect(merged?.toJS()).toEqual({ a: { x: 1 }, b: { x: 1, z: 2 } });
  expect(parseYaml('a: 1\na: 2\n').documents[0]?.errors).toHaveLength(1);
});

test.each<[string, object]>([
  ['p: 0\n<<: *a', { p: 1, q: 1 }],
  ['<<: *a\np: 0', { p: 0, q: 1 }],
  ['<<: *a\n<<: *b', { p: 2, q: 1 }],
  ['<<: *a\np: 0\n<<: *b', { p: 2, q: 1 }],
  ['<<: [*b, *a]', { p: 2, q: 1 }],
  ['<<: [*a, *b]', { p: 1, q: 1 }],
  ['<<: {<<: *a, p: 3}', { p: 3, q: 1 }],
  ['<<: {p: 3, <<: *a}', { p: 1, q: 1 }],
  ['p: 0\n<<: {p: null}', { p: null }],
  ['p: {x: 1}\n<<: {p: {z: 2}}', { p: { z: 2 } }],
  ['p: 0\n"<<": *a', { p: 0, '<<': { p: 1, q: 1 } }],
])('of merge keys what comes later wins, as kubectl has it: %j', (text, value) => {
  const list = `- &a {p: 1, q: 1}\n- &b {p: 2}\n- ${text.replaceAll('\n', '\n  ')}\n`;
  const [document] = parseYaml(list).documents;
  expect(document && plainOf(document).object).toEqual([{ p: 1, q: 1 }, { p: 2 }, value]);
});

test.each(['a: {{ b }}\n', 'a: [{ [x]: 1 }]\n', '? - x\n: 1\n', 'a: &a { x: 1 }\nb:\n  *a : 1\n'])(
  'a key that is no scalar is told of, as kubectl does: %j',
  (text) => {
    const [document] = parseYaml(text).documents;
    expect(document && plainOf(document).problem?.message).toContain('invalid map key');
  },
);

test('one anchor may be used by a thousand', () => {
  const uses = '- *a\n'.repeat(1000);
  const [document] = parseYaml(`a: &a { x: 1 }\nb:\n${uses}`).documents;
  expect(document && plainOf(document).object).toEqual({ a: { x: 1 }, b: Array(1000).fill({ x: 1 }) });
});

test.each(['{"a":"}"}\n{"a":2}\n', '{"a":"}"} {"a":2}', ' \n{"a":"\\"}"}{\n"a":2}\n'])(
  'one JSON after the other is read as kubectl does, with its places: %j',
  (text) => {
    const { documents } = parseYaml(text);
    expect(documents.map((one) => plainOf(one).object)).toEqual([
      { a: expect.stringContaining('}') },
      { a: 2 },
    ]);
    expect(documents[1]?.range[0]).toBe(text.lastIndexOf('{'));
    expect(documents[1]?.contents?.range[0]).toBe(text.lastIndexOf('{'));
  },
);

test.each(['{"a":1}\nb: 1\n', '{"a":1}}', '- {"a":1}{"b":1}', '{a: 1}{b: 1}'])(
  'what is neither is still an error: %j',
  (text) => {
    expect(parseYaml(text).documents.some((one) => plainOf(one).problem !== undefined)).toBe(true);
  },
);
