import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { giveUpSeconds } from '../../../src/api/triple.ts';
import { isEnough } from '../../../src/policy/enough.ts';
import { valuesFor } from '../../../src/policy/requirement.ts';
import { spread } from '../../../src/policy/spread.ts';
import { behind } from '../../support/builder.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const chances = fc.tuple(chance, chance);
const timeouts = fc.integer({ min: 3, max: 90_000 });

describe('what one socket is given', () => {
  test.each([
    [90, [0, 0], { timeSeconds: 30, intervalSeconds: 10, probes: 6 }],
    [90, [0.5, 0.5], { timeSeconds: 26, intervalSeconds: 9, probes: 8 }],
    [90, [0.999, 0.999], { timeSeconds: 23, intervalSeconds: 8, probes: 9 }],
    [900, [0.999, 0.999], { timeSeconds: 225, intervalSeconds: 75, probes: 9 }],
    [350, [0.999, 0], { timeSeconds: 87, intervalSeconds: 39, probes: 7 }],
    // There is nothing to spread by.
    [9, [0.999, 0.999], { timeSeconds: 3, intervalSeconds: 1, probes: 6 }],
  ] as const)('behind %s s, by chances of %j, is %j', (timeout, by, values) => {
    const requirement = behind(timeout);
    expect(spread(valuesFor(requirement), requirement, by)).toEqual(values);
  });

  test('is enough, nothing of it is longer than what all are given, and no probe is left out', () => {
    fc.assert(
      fc.property(timeouts, chances, (timeout, by) => {
        const requirement = behind(timeout);
        const all = valuesFor(requirement);
        const one = spread(all, requirement, by);
        expect(isEnough(one, timeout)).toBe(true);
        expect(one.timeSeconds).toBeLessThanOrEqual(all.timeSeconds);
        expect(one.timeSeconds).toBeGreaterThanOrEqual(all.timeSeconds * 0.75);
        expect(one.intervalSeconds).toBeLessThanOrEqual(all.intervalSeconds);
        expect(one.intervalSeconds).toBeGreaterThanOrEqual(all.intervalSeconds * 0.75);
        expect(one.probes).toBeGreaterThanOrEqual(all.probes);
      }),
    );
  });

  test('gives up no sooner than the path forgets, where what all are given does not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 900 }), chances, (timeout, by) => {
        const requirement = behind(timeout);
        const all = valuesFor(requirement);
        fc.pre(giveUpSeconds(all) >= timeout);
        expect(giveUpSeconds(spread(all, requirement, by))).toBeGreaterThanOrEqual(timeout);
      }),
    );
  });

  test('gives up sooner by a part of the time alone, where the most probes there may be do not reach', () => {
    fc.assert(
      fc.property(timeouts, fc.integer({ min: 1, max: 127 }), chances, (timeout, probes, by) => {
        const requirement = behind(timeout, { probes });
        const all = valuesFor(requirement);
        const one = spread(all, requirement, by);
        fc.pre(giveUpSeconds(one) < timeout);
        expect(one.intervalSeconds).toBe(all.intervalSeconds);
      }),
    );
  });

  test('is no shorter for being given again and again', () => {
    fc.assert(
      fc.property(timeouts, fc.array(chances, { maxLength: 20 }), (timeout, all) => {
        const requirement = behind(timeout);
        const given = valuesFor(requirement);
        const last = all.reduce((values, by) => spread(values, requirement, by), given);
        expect(last.timeSeconds).toBeGreaterThanOrEqual(given.timeSeconds * 0.75);
        expect(last.intervalSeconds).toBeGreaterThanOrEqual(given.intervalSeconds * 0.75);
        expect(last.probes).toBeLessThanOrEqual(Math.max(9, given.probes));
      }),
    );
  });

  test('leaves what somebody has that is shorter still', () => {
    const own = { timeSeconds: 5, intervalSeconds: 2, probes: 43 };
    expect(spread(own, behind(90), [0.999, 0.999])).toEqual(own);
  });

  test('has no more probes than policies declare', () => {
    const requirement = behind(90, { probes: 6 });
    expect(spread(valuesFor(requirement), requirement, [0.999, 0.999]).probes).toBe(6);
  });
});
