import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Parser } from 'yaml';

import { keepalive } from '../../support/command-line.ts';
import { behind90 } from './rendered.ts';

const pod = (name: string, spec = 'containers: []') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: db}\nspec:\n  ${spec}\n`;
/** What is put into its securityContext is then in x as well. */
const shared = (name: string) => pod(name, '{"securityContext":&a {},"x":*a}');
const many = Array.from({ length: 128 }, (_, at) => pod(`fine-${at}`));

const documents = (pods: readonly string[]) => pods.join('---\n');
const list = (pods: readonly string[]) =>
  `apiVersion: v1\nkind: List\nitems:\n${pods.map((one) => `- ${one.trimEnd().replaceAll('\n', '\n  ')}\n`).join('')}`;

/** Whom `keepalive render` names as what cannot be rendered. */
async function namedIn(text: string): Promise<string[]> {
  const { code, stdout, stderr } = await keepalive(['render'], { stdin: `${behind90}---\n${text}` });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  return [...stderr.matchAll(/Pod ([\w-]+): it shares text/g)].map(([, name = '']) => name);
}

describe('where a template cannot be rendered', () => {
  test.each<[string, string, string[]]>([
    ['among documents', documents([pod('a'), shared('b'), pod('c')]), ['b']],
    ['among the items of a List', list([pod('a'), pod('b'), pod('c'), shared('d'), pod('e')]), ['d']],
    [
      'more than once',
      documents([list([shared('a'), pod('b'), shared('c')]), pod('d'), shared('e')]),
      ['a', 'c', 'e'],
    ],
    [
      'beside one that needs a directive',
      `...\n%TAG !e! tag:example.com,2026:\n---\n${pod('!e!x a')}...\n---\n${shared('b')}`,
      ['b'],
    ],
  ])('%s, it alone is named', async (_where, text, names) => {
    expect(await namedIn(text)).toEqual(names);
  });
});

describe('where one of many templates cannot be rendered', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  // A template three times as long, where it has its sysctls, and of a List twice for each of the seven halvings.
  test.each<[string, string, number]>([
    ['documents', documents([...many, shared('b')]), 8],
    ['items of a List', list([...many, shared('b')]), 32],
  ])('its text of %s is not read as often as it has templates', async (_what, text, times) => {
    const parse = jest.spyOn(Parser.prototype, 'parse');
    expect(await namedIn(text)).toEqual(['b']);
    const characters = parse.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
    expect(characters).toBeGreaterThan(text.length);
    expect(characters / text.length).toBeLessThan(times);
  });
});
