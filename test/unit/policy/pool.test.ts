import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Pool } from '../../../src/policy/pool.ts';

const most = 10_000;
const fill = (pool: Pool<object>, length: number, characters: number) => {
  for (let left = characters; left > 0; left -= length) pool.get(String(left).padStart(length, 'x'), {});
};

test('what comes again is the same', () => {
  const pool = new Pool<object>(most);
  const first = pool.get('a', {});
  expect(pool.get('b', {})).not.toBe(first);
  expect(pool.get('a', {})).toBe(first);
});

test('what nobody asked for is let go when as many characters of others came, few long ones or many short ones', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: most / 2 }), (length) => {
      const pool = new Pool<object>(most);
      const first = pool.get('a', {});
      fill(pool, length, most * 2);
      expect(pool.get('a', {})).not.toBe(first);
    }),
  );
});

test('what is asked for now and then stays, however much comes in between', () => {
  const pool = new Pool<object>(most);
  const first = pool.get('a', {});
  for (let turn = 0; turn < 100; turn += 1) {
    fill(pool, 1000, most / 2);
    expect(pool.get('a', {})).toBe(first);
  }
});
