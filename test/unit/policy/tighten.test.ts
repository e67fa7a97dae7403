import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Triple } from '../../../src/api/triple.ts';
import { secondProbeSeconds, tripleKeys } from '../../../src/api/triple.ts';
import { amend } from '../../../src/policy/enough.ts';
import { parseLine } from '../../../src/agent/ledger-line.ts';
import { HOST } from '../../../src/policy/place.ts';
import type { Memory, Settlement } from '../../../src/policy/tighten.ts';
import { isEmpty, isKnown, rememberedAfter, settle } from '../../../src/policy/tighten.ts';
import { heldValues, kernelValues, requirements } from '../../support/arbitrary.ts';
import { asking } from '../../support/builder.ts';

const triple = (timeSeconds: number, intervalSeconds: number, probes: number): Triple => ({
  timeSeconds,
  intervalSeconds,
  probes,
});
const kernel = triple(7200, 75, 9);
const wanted = triple(30, 10, 6);
const asked = asking(90);
const nothing = asking();
const held = { asked: undefined, hold: true };

/** What the namespace holds after the writes. */
const written = (current: Triple, { writes }: Settlement): Triple => ({ ...current, ...writes });
const ours = (found: Triple, seconds = 90): Memory => settle(found, asking(seconds), {}).after;

describe('the values of a network namespace', () => {
  test('that nobody wants changed are left alone', () => {
    expect(settle(kernel, nothing, {})).toEqual({ writes: {}, before: {}, after: {}, overridden: [] });
  });

  test('that are not enough are changed, and what was found is noted before', () => {
    const { writes, before, after, overridden } = settle(kernel, asked, {});
    expect(writes).toEqual(wanted);
    expect(before.timeSeconds).toEqual({ found: 7200, ours: [30] });
    expect(after).toEqual(before);
    expect(overridden).toEqual([]);
  });

  test('that are enough by themselves stay, whatever we would have set', () => {
    for (const enough of [triple(45, 45, 5), triple(60, 1, 10), triple(100, 100, 2)])
      expect(settle(enough, asking(240), {})).toMatchObject({ writes: {}, after: {} });
  });

  test('of which one is smaller keep that, which is no business of ours', () => {
    const { writes, after } = settle(triple(20, 75, 9), asked, {});
    expect(writes).toEqual({ intervalSeconds: 10, probes: 7 });
    expect(after).toEqual({ intervalSeconds: { found: 75, ours: [10] }, probes: { found: 9, ours: [7] } });
  });

  test('of 0 become ours, and 0 again when nobody asks', () => {
    const { writes, after } = settle(triple(30, 10, 0), asked, {});
    expect(writes).toEqual({ probes: 6 });
    expect(settle(wanted, nothing, after).writes).toEqual({ probes: 0 });
  });

  test('follow a policy that asks for less, as far as they were found', () => {
    const { writes, after } = settle(wanted, asking(350), ours(triple(160, 300, 9)));
    expect(writes).toEqual({ timeSeconds: 116, intervalSeconds: 39 });
    expect(after).toEqual({
      timeSeconds: { found: 160, ours: [116] },
      intervalSeconds: { found: 300, ours: [39] },
      probes: { found: 9, ours: [6] },
    });
  });

  test('that would be enough for such a policy without us go back to what was found', () => {
    const { writes, after } = settle(wanted, asking(350), ours(triple(60, 75, 9)));
    expect(writes).toEqual({ timeSeconds: 60, intervalSeconds: 75, probes: 9 });
    expect(after).toEqual({});
  });

  test('go back to what was found when nobody wants them any more', () => {
    const { writes, before, after } = settle(wanted, nothing, ours(kernel));
    expect(writes).toEqual(kernel);
    expect(isEmpty(before)).toBe(false);
    expect(isEmpty(after)).toBe(true);
  });

  test('that somebody else set since are not restored over them', () => {
    const { writes, after, overridden } = settle(triple(600, 10, 6), nothing, ours(kernel));
    expect(writes).toEqual({ intervalSeconds: 75, probes: 9 });
    expect(after).toEqual({});
    expect(overridden).toEqual([]);
  });

  test('that somebody made looser are put right, and theirs is what they go back to', () => {
    const drifted = settle(triple(600, 10, 6), asked, ours(kernel));
    expect(drifted.writes).toEqual({ timeSeconds: 30 });
    expect(drifted.overridden).toEqual(['timeSeconds']);
    expect(settle(wanted, nothing, drifted.after).writes).toEqual({
      timeSeconds: 600,
      intervalSeconds: 75,
      probes: 9,
    });
  });

  test('that somebody made stricter still are theirs, and no override', () => {
    const { overridden, after } = settle(triple(5, 10, 6), asked, ours(kernel));
    expect(overridden).toEqual([]);
    expect(after.timeSeconds).toBeUndefined();
  });

  test('are known as ours by whoever comes after one that was ended between noting and writing', () => {
    const stricter = triple(20, 7, 6);
    const { before } = settle(wanted, asking(60), ours(kernel));
    for (const left of [wanted, triple(20, 10, 6), stricter]) {
      const resumed = settle(left, asking(60), before);
      expect(written(left, resumed)).toEqual(stricter);
      expect(settle(left, nothing, before).writes).toEqual(kernel);
    }
  });

  test('of which one cannot be read keep what is remembered of it', () => {
    const memory = ours(kernel);
    const { after } = settle({ intervalSeconds: 10, probes: 6 }, nothing, memory);
    expect(after).toEqual({ timeSeconds: memory.timeSeconds });
  });

  test('of which one is left to somebody else keep what that leaves enough, judged by what it holds', () => {
    const memory = ours(triple(250, 75, 9), 350);
    const left = settle(triple(250, 39, 6), asking(350), memory, ['timeSeconds']);
    expect(left).toEqual({ writes: {}, before: memory, after: memory, overridden: [] });
  });

  test('of which one is left to somebody else are still made stricter by a policy that asks for more', () => {
    const { writes, after } = settle(triple(7200, 39, 6), asked, ours(kernel, 350), ['timeSeconds']);
    expect(writes).toEqual({ intervalSeconds: 10 });
    expect(after.timeSeconds).toEqual({ found: 7200, ours: [116] });
  });

  test('of which one is left to somebody else give way later to a policy that asks for less', () => {
    const current = triple(300, 10, 6);
    expect(settle(current, asking(350), ours(kernel), ['timeSeconds']).writes).toEqual({});
    expect(settle(wanted, asking(350), ours(kernel)).writes).toMatchObject({ intervalSeconds: 39 });
  });

  test('are held while nobody can tell what is asked: never looser, also where somebody undoes them', () => {
    const memory = ours(kernel);
    expect(settle(wanted, held, memory)).toMatchObject({ writes: {}, after: memory });
    expect(settle(triple(7200, 10, 6), held, memory).writes).toEqual({ timeSeconds: 30 });
    expect(settle(triple(5, 10, 6), held, memory).writes).toEqual({});
    expect(settle(kernel, held, {})).toMatchObject({ writes: {}, after: {} });
  });

  test('are held with the probes that were added to those that gave up too soon', () => {
    const memory = ours(triple(7200, 75, 4));
    expect(memory.probes).toEqual({ found: 4, ours: [6] });
    expect(settle(wanted, held, memory)).toMatchObject({ writes: {}, after: memory });
  });

  test('are made stricter by those who can be understood, while others cannot', () => {
    const { writes } = settle(wanted, { ...asking(60), hold: true }, ours(kernel));
    expect(writes).toEqual({ timeSeconds: 20, intervalSeconds: 7 });
    expect(settle(wanted, { ...asking(350), hold: true }, ours(kernel)).writes).toEqual({});
  });
});

describe('what is noted before a write', () => {
  const memory = ours(kernel);
  const betweenTwo = settle(wanted, asking(60), memory).before;
  test.each<[string, Settlement, Memory, boolean]>([
    ['is known where values go back', settle(wanted, nothing, memory), memory, true],
    [
      'is known where all go back of one that was ended amid a write',
      settle(wanted, nothing, betweenTwo),
      betweenTwo,
      true,
    ],
    [
      'is known where a value is put right that is as it was found',
      settle({ ...wanted, timeSeconds: 7200 }, asked, memory),
      memory,
      true,
    ],
    [
      'is new where another was found than before',
      settle({ ...wanted, timeSeconds: 600 }, asked, memory),
      memory,
      false,
    ],
    ['is new where values become stricter', settle(wanted, asking(60), memory), memory, false],
    ['is new where they become looser and stay ours', settle(wanted, asking(350), memory), memory, false],
    ['is new at the first time', settle(kernel, asked, {}), {}, false],
  ])('%s', (_sentence, settled, known, expected) => {
    expect(settled.writes).not.toEqual({});
    expect(isKnown(settled.before, known)).toBe(expected);
  });
});

const demand = fc.option(requirements, { nil: undefined }).map((one) => ({ asked: one, hold: false }));

describe('a value whose write was refused', () => {
  const memory = ours(kernel);
  const stricter = settle(wanted, asking(60), memory);
  const refused = ['timeSeconds'] as const;

  test('and that stayed as it was is not remembered, since nobody can override what was never written', () => {
    const settled = settle(kernel, asked, {});
    const now = { ...wanted, timeSeconds: 7200 };
    const { timeSeconds: _time, ...others } = settled.after;
    expect(rememberedAfter(settled, {}, { refused, seen: kernel, now })).toEqual(others);
  });

  test('and that is ours from before is remembered as that', () => {
    const now = { ...wanted, intervalSeconds: 7 };
    expect(rememberedAfter(stricter, memory, { refused, seen: wanted, now })).toEqual({
      ...stricter.after,
      timeSeconds: memory.timeSeconds,
    });
  });

  test('and that is another by now, or cannot be read, is remembered as before the write', () => {
    for (const now of [triple(20, 7, 6), { intervalSeconds: 7, probes: 6 }])
      expect(rememberedAfter(stricter, memory, { refused, seen: wanted, now })).toEqual({
        ...stricter.after,
        timeSeconds: { found: 7200, ours: [30, 20] },
      });
  });
});

describe('whatever is found and asked for in whatever order', () => {
  test('what is held is what would become of what was found, whatever was asked in between', () => {
    fc.assert(
      fc.property(kernelValues, fc.array(demand, { minLength: 1 }), (found, demands) => {
        let current: Triple = found;
        let memory: Memory = {};
        for (const want of demands) {
          const settled = settle(current, want, memory);
          current = written(current, settled);
          memory = settled.after;
          expect(current).toEqual((want.asked && amend(found, want.asked)) ?? found);
        }
      }),
    );
  });

  test('going back says nothing new', () => {
    fc.assert(
      fc.property(kernelValues, heldValues, demand, demand, (found, theirs, first, second) => {
        const before = settle(found, first, {});
        const noted = settle(written(found, before), second, before.after).before;
        for (const memory of [before.after, noted])
          for (const current of [written(found, before), theirs])
            expect(isKnown(settle(current, nothing, memory).before, memory)).toBe(true);
      }),
    );
  });

  test('asking twice changes nothing', () => {
    fc.assert(
      fc.property(kernelValues, demand, (found, want) => {
        const once = settle(found, want, {});
        const twice = settle(written(found, once), want, once.after);
        expect(twice.writes).toEqual({});
        expect(twice.after).toEqual(once.after);
      }),
    );
  });

  test('while something cannot be understood, no time and no interval becomes looser', () => {
    fc.assert(
      fc.property(kernelValues, demand, demand, (found, first, second) => {
        const before = settle(found, first, {});
        const current = written(found, before);
        const after = written(current, settle(current, { ...second, hold: true }, before.after));
        for (const key of ['timeSeconds', 'intervalSeconds'] as const)
          if (current[key] > 0) expect(after[key]).toBeLessThanOrEqual(current[key]);
      }),
    );
  });

  test('while one is left to somebody else, what is held stays as enough as it was, for every timeout', () => {
    const some = fc.subarray([...tripleKeys], { minLength: 1 });
    const drifts = fc
      .tuple(heldValues, some)
      .map(([all, keys]): Partial<Triple> => Object.fromEntries(keys.map((key) => [key, all[key]])));
    fc.assert(
      fc.property(kernelValues, drifts, demand, demand, (found, theirs, first, second) => {
        const before = settle(found, first, {});
        const current: Triple = { ...written(found, before), ...theirs };
        const { overridden } = settle(current, second, before.after);
        fc.pre(overridden.length > 0);
        const left = settle(current, second, before.after, overridden);
        const after = written(current, left);
        for (const key of overridden) expect(after[key]).toBe(current[key]);
        if (tripleKeys.every((key) => current[key] > 0))
          expect(secondProbeSeconds(after)).toBeLessThanOrEqual(secondProbeSeconds(current));
        if (current.probes >= 2) expect(after.probes).toBeGreaterThanOrEqual(2);
        expect(left.overridden).toEqual([]);
      }),
    );
  });

  test('what is written is what keepalive works with, or what was found, and the next agent believes what is noted', () => {
    const either = fc.boolean().chain((hold) => demand.map((want) => ({ ...want, hold })));
    fc.assert(
      fc.property(kernelValues, kernelValues, either, either, (found, drifted, first, second) => {
        const before = settle(found, first, {});
        const current = { ...written(found, before), timeSeconds: drifted.timeSeconds };
        const settled = settle(current, second, before.after);
        for (const [key, value] of Object.entries(settled.writes))
          expect(value > 0 || value === found[key as keyof Triple]).toBe(true);
        for (const memory of [before.before, settled.before, settled.after]) {
          const entry = { place: HOST, namespace: 'cookie 1', memory, repaired: 0 };
          expect(parseLine(JSON.stringify(entry))).toEqual(entry);
        }
      }),
    );
  });

  test('one that is ended after any number of its writes can still put back all that was found', () => {
    fc.assert(
      fc.property(
        kernelValues,
        demand,
        demand,
        fc.integer({ min: 0, max: 3 }),
        (found, first, second, done) => {
          const before = settle(found, first, {});
          const inBetween = written(found, before);
          const next = settle(inBetween, second, before.after);
          const partial = Object.fromEntries(Object.entries(next.writes).slice(0, done));
          const left = { ...inBetween, ...partial };
          // A value that stands where it was found, and in no memory, needs nothing.
          const restored = written(left, settle(left, nothing, next.before));
          expect(restored).toEqual(found);
        },
      ),
    );
  });
});
