import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Triple } from '../../../src/policy/derive.ts';
import type { Memory, Settlement } from '../../../src/policy/tighten.ts';
import { isEmpty, settle, tripleKeys } from '../../../src/policy/tighten.ts';

const triple = (timeSeconds: number, intervalSeconds: number, probes: number): Triple => ({
  timeSeconds,
  intervalSeconds,
  probes,
});
const kernel = triple(7200, 75, 9);
const wanted = triple(30, 10, 6);

/** What the namespace holds after the writes. */
const written = (current: Triple, { writes }: Settlement): Triple => ({ ...current, ...writes });
const ours = (found: Triple, set: Triple): Memory => settle(found, set, {}).after;

describe('the values of a network namespace', () => {
  test('that nobody wants changed are left alone', () => {
    expect(settle(kernel, undefined, {})).toEqual({ writes: {}, before: {}, after: {}, overridden: [] });
  });

  test('are made as small as is wanted, and what was found is noted before', () => {
    const { writes, before, after, overridden } = settle(kernel, wanted, {});
    expect(writes).toEqual(wanted);
    expect(before.timeSeconds).toEqual({ found: 7200, ours: [30] });
    expect(after).toEqual(before);
    expect(overridden).toEqual([]);
  });

  test('that are smaller already stay, key by key, and are no business of ours', () => {
    const { writes, after } = settle(triple(20, 75, 6), wanted, {});
    expect(writes).toEqual({ intervalSeconds: 10 });
    expect(after).toEqual({ intervalSeconds: { found: 75, ours: [10] } });
  });

  test('follow a policy that asks for less strict ones, as far as they were found', () => {
    const { writes, after } = settle(wanted, triple(100, 33, 6), ours(triple(60, 75, 9), wanted));
    expect(writes).toEqual({ timeSeconds: 60, intervalSeconds: 33 });
    expect(after).toEqual({
      intervalSeconds: { found: 75, ours: [33] },
      probes: { found: 9, ours: [6] },
    });
  });

  test('go back to what was found when nobody wants them any more', () => {
    const { writes, before, after } = settle(wanted, undefined, ours(kernel, wanted));
    expect(writes).toEqual(kernel);
    expect(isEmpty(before)).toBe(false);
    expect(isEmpty(after)).toBe(true);
  });

  test('that somebody else set since are not restored over them', () => {
    const { writes, after, overridden } = settle(triple(600, 10, 6), undefined, ours(kernel, wanted));
    expect(writes).toEqual({ intervalSeconds: 75, probes: 9 });
    expect(after).toEqual({});
    expect(overridden).toEqual([]);
  });

  test('that somebody made looser are put right, and theirs is what they go back to', () => {
    const drifted = settle(triple(600, 10, 6), wanted, ours(kernel, wanted));
    expect(drifted.writes).toEqual({ timeSeconds: 30 });
    expect(drifted.overridden).toEqual(['timeSeconds']);
    expect(settle(wanted, undefined, drifted.after).writes).toEqual({
      timeSeconds: 600,
      intervalSeconds: 75,
      probes: 9,
    });
  });

  test('that somebody made stricter still are theirs, and no override', () => {
    const { writes, after, overridden } = settle(triple(5, 10, 6), wanted, ours(kernel, wanted));
    expect(writes).toEqual({});
    expect(overridden).toEqual([]);
    expect(after.timeSeconds).toBeUndefined();
  });

  test('are known as ours by whoever comes after one that was ended between noting and writing', () => {
    const stricter = triple(20, 6, 6);
    const { before } = settle(wanted, stricter, ours(kernel, wanted));
    for (const left of [wanted, triple(20, 10, 6), stricter]) {
      const resumed = settle(left, stricter, before);
      expect(written(left, resumed)).toEqual(stricter);
      expect(settle(left, undefined, before).writes).toEqual(kernel);
    }
  });

  test('of which one cannot be read keep what is remembered of it', () => {
    const memory = ours(kernel, wanted);
    const { after } = settle({ intervalSeconds: 10, probes: 6 }, undefined, memory);
    expect(after).toEqual({ timeSeconds: memory.timeSeconds });
  });
});

const values = fc.record({
  timeSeconds: fc.integer({ min: 0, max: 9000 }),
  intervalSeconds: fc.integer({ min: 0, max: 100 }),
  probes: fc.integer({ min: 0, max: 20 }),
});
const demand = fc.option(values, { nil: undefined });

describe('whatever is found and asked for in whatever order', () => {
  test('no value is ever larger than found, nor than asked for', () => {
    fc.assert(
      fc.property(values, fc.array(demand, { minLength: 1 }), (found, demands) => {
        let current = found;
        let memory: Memory = {};
        for (const want of demands) {
          const settled = settle(current, want, memory);
          current = written(current, settled);
          memory = settled.after;
          for (const key of tripleKeys)
            expect(current[key]).toBe(Math.min(found[key], want?.[key] ?? Infinity));
        }
      }),
    );
  });

  test('asking twice changes nothing', () => {
    fc.assert(
      fc.property(values, demand, (found, want) => {
        const once = settle(found, want, {});
        const twice = settle(written(found, once), want, once.after);
        expect(twice.writes).toEqual({});
        expect(twice.after).toEqual(once.after);
      }),
    );
  });

  test('one that is ended after any number of its writes can still put back all that was found', () => {
    fc.assert(
      fc.property(values, values, values, fc.integer({ min: 0, max: 3 }), (found, first, second, done) => {
        const held = settle(found, first, {});
        const inBetween = written(found, held);
        const next = settle(inBetween, second, held.after);
        const partial = Object.fromEntries(Object.entries(next.writes).slice(0, done));
        const left = { ...inBetween, ...partial };
        // A value that stands where it was found, and in no memory, needs nothing.
        const restored = written(left, settle(left, undefined, next.before));
        expect(restored).toEqual(found);
      }),
    );
  });
});
