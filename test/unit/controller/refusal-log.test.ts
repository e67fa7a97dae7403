import { expect, test } from '@jest/globals';

import { RefusalLog } from '../../../src/controller/refusal-log.ts';

const refused = (atMs: number, namespace = 'db') => ({ namespace, atMs, by: 'x', words: 'sysctls' });

test('of each namespace the newest is held, in whatever order they come', () => {
  const log = new RefusalLog();
  expect(log.note(refused(5), 10)).toBe(true);
  expect(log.note(refused(3), 10)).toBe(false);
  expect(log.note(refused(5), 10)).toBe(false);
  expect(log.note(refused(7), 10)).toBe(true);
  expect(log.of('db')).toEqual([refused(7)]);
  expect(log.of('web')).toEqual([]);
});

test('a time to come is taken for now, so that it hides nothing that follows', () => {
  const log = new RefusalLog();
  log.note(refused(Number.MAX_SAFE_INTEGER), 10);
  expect(log.of('db')).toEqual([refused(10)]);
  expect(log.note(refused(11), 12)).toBe(true);
});

test('a thousand namespaces are remembered, and the longest silent one is forgotten first', () => {
  const log = new RefusalLog();
  for (let at = 0; at < 1_000; at += 1) log.note(refused(1, `n${at}`), 10);
  log.note(refused(2, 'n0'), 10);
  log.note(refused(1, 'one-more'), 10);
  expect([...log.list()]).toHaveLength(1_000);
  expect(log.of('n0')).toHaveLength(1);
  expect(log.of('n1')).toEqual([]);
});
