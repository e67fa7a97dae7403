import { describe, expect, test } from '@jest/globals';

import { UnreadableStream } from '../../../src/kube/errors.ts';
import { PageSplitter } from '../../../src/kube/page.ts';

function split(...chunks: Uint8Array[]) {
  const splitter = new PageSplitter();
  const items = chunks.flatMap((chunk) => splitter.push(chunk));
  return { items: items.map((item) => JSON.parse(item) as unknown), metadata: splitter.end() };
}

const metadata = { resourceVersion: '10', continue: 'more' };
const items = [
  { metadata: { name: 'a' }, spec: { items: [{}, [], [{}]] } },
  {},
  { note: 'grüße 🌍, "}]" and \\', 'x"items"': [1, { y: '\\"' }] },
];

describe('a page', () => {
  test.each([
    ['of a built-in kind', JSON.stringify({ kind: 'PodList', metadata, items })],
    ['of a custom resource', JSON.stringify({ apiVersion: 'v1', items, kind: 'PodList', metadata })],
    ['for people', JSON.stringify({ metadata, items }, undefined, 2)],
    ['with other arrays', JSON.stringify({ rows: [{}, ['items']], 'no items': [{}], items, metadata })],
  ])('%s is the same wherever it is cut', (_name, text) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(split(bytes.subarray(0, at), bytes.subarray(at))).toEqual({ items, metadata });
    }
    expect(split(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toEqual({ items, metadata });
  });

  test('hands an item on before the next has come', () => {
    const splitter = new PageSplitter();
    expect(splitter.push(Buffer.from('{"metadata":{},"items":[{"a":1},{"b"'))).toEqual(['{"a":1}']);
    expect(splitter.push(Buffer.from(':2}'))).toEqual(['{"b":2}']);
  });

  test('without items is one', () => {
    expect(split(Buffer.from(JSON.stringify({ items: [], metadata })))).toEqual({ items: [], metadata });
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '<html>',
    '{"metadata":{"resourceVersion":"1"},"items":null}',
    '{"metadata":{"resourceVersion":"1"},"items":{}}',
    '{"metadata":null,"items":[]}',
    '{"metadata":{"resourceVersion":1},"items":[]}',
    '{"metadata":{"resourceVersion":"1"},"items":[1]}',
    '{"metadata":{"resourceVersion":"1"},"items":[{},null]}',
    '{"metadata":{"resourceVersion":"1"},"items":["a"]}',
    '{"metadata":{"resourceVersion":"1"},"items":[{}',
    '{"metadata":{"resourceVersion":"1"},"items":[{}]',
  ])('is not made of %j', (text) => {
    expect(() => split(Buffer.from(text))).toThrow(UnreadableStream);
  });

  test('that does not end is given up', () => {
    const mebibyte = Buffer.alloc(2 ** 20, 'x');
    const splitter = new PageSplitter();
    splitter.push(Buffer.from('{"items":[{"a":"'));
    expect(() => {
      for (let n = 0; n < 64; n += 1) splitter.push(mebibyte);
    }).toThrow('an item of a list does not end');
  });
});
