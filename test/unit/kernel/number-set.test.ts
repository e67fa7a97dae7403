import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { NumberSet } from '../../../src/kernel/number-set.ts';

const near = fc.integer({ min: 1, max: 5000 });
const far = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

test('it has what was added to it since it was cleared, and nothing else', () => {
  const numbers = new NumberSet();
  fc.assert(
    fc.property(fc.array(fc.oneof(near, far), { maxLength: 3000 }), fc.array(near), (added, asked) => {
      const set = new Set<number>();
      numbers.clear();
      const isMet = added.map((number) => {
        const [ours, theirs] = [numbers.has(number), set.has(number)];
        numbers.add(number);
        set.add(number);
        return ours === theirs;
      });
      expect(isMet).not.toContain(false);
      expect(numbers.size).toBe(set.size);
      expect(asked.map((number) => numbers.has(number))).toEqual(asked.map((number) => set.has(number)));
    }),
  );
});

test('it has two hundred thousand that follow each other, and as many that are far apart', () => {
  const count = 200_000;
  for (const apart of [1, 2 ** 32, 2 ** 20 + 1]) {
    const numbers = new NumberSet();
    for (let number = apart; number <= count * apart; number += apart) numbers.add(number);
    expect(numbers.size).toBe(count);
    expect([apart, count * apart, count * apart + 1].map((number) => numbers.has(number))).toEqual([
      true,
      true,
      false,
    ]);
  }
});
