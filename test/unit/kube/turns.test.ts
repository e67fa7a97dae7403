import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Turns } from '../../../src/kube/turns.ts';

const ownerOf = (key: string) => key.slice(0, 1);
const keys = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat({ max: 9 }))
  .map(([owner, at]) => `${owner}${at}`);

test('each key comes out once, and no owner is passed over twice before it has had a turn', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(keys, fc.constant(undefined)), { maxLength: 80 }), (steps) => {
      const turns = new Turns(ownerOf);
      const waiting = new Set<string>();
      /** How many others have had a turn since an owner began to wait for its own. */
      const passedBy = new Map<string, string[]>();
      for (const key of steps) {
        if (key !== undefined) {
          turns.add(key);
          waiting.add(key);
          if (!passedBy.has(ownerOf(key))) passedBy.set(ownerOf(key), []);
        } else {
          const next = turns.next();
          expect(next === undefined).toBe(waiting.size === 0);
          if (next === undefined) continue;
          expect(waiting.delete(next)).toBe(true);
          passedBy.delete(ownerOf(next));
          for (const others of passedBy.values()) {
            expect(others).not.toContain(ownerOf(next));
            others.push(ownerOf(next));
          }
          if ([...waiting].some((one) => ownerOf(one) === ownerOf(next))) passedBy.set(ownerOf(next), []);
        }
        expect(turns.size).toBe(waiting.size);
        for (const one of waiting) expect(turns.has(one)).toBe(true);
      }
    }),
  );
});

test('the keys of one owner go in the order of arrival', () => {
  const turns = new Turns();
  for (const key of ['x', 'y', 'x', 'z']) turns.add(key);
  expect([turns.next(), turns.next(), turns.next(), turns.next()]).toEqual(['x', 'y', 'z', undefined]);
});

test('how many come before a key is how many come out before it, whoever goes away', () => {
  const chosen = fc.uniqueArray(keys, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(chosen, fc.array(keys, { maxLength: 10 }), fc.nat({ max: 10 }), (added, gone, taken) => {
      const turns = new Turns(ownerOf);
      for (const key of added) turns.add(key);
      for (let at = 0; at < taken; at += 1) turns.next();
      for (const key of gone) turns.delete(key);
      const told = new Map(added.map((key) => [key, turns.ahead(key)]));
      let passed = 0;
      for (let key = turns.next(); key !== undefined; key = turns.next()) {
        expect(gone).not.toContain(key);
        expect(told.get(key)).toBe(passed);
        expect(turns.ahead(key)).toBeUndefined();
        passed += 1;
      }
      expect([...told.values()].filter((ahead) => ahead !== undefined)).toHaveLength(passed);
    }),
  );
});
