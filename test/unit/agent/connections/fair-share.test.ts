import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { fairShare, fairShares } from '../../../../src/agent/connections/fair-share.ts';

const amount = fc.double({ min: 0, max: 2, noNaN: true });
const total = fc.double({ min: 0.01, max: 1, noNaN: true });
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
const had = (amounts: readonly number[], each: number) => sum(amounts.map((need) => Math.min(need, each)));

describe('a fair share', () => {
  test('is within the total, leaves nothing of it that somebody needs, and takes nothing from who needs less', () => {
    fc.assert(
      fc.property(fc.array(amount, { minLength: 1 }), total, (needed, all) => {
        expect(had(needed, fairShare(needed, all))).toBeCloseTo(Math.min(all, sum(needed)), 9);
      }),
    );
  });

  test('of owners does not depend on how many another has', () => {
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1, maxLength: 50 }), total, (mine, others, all) => {
        const needs = [
          { owner: 'me', amount: mine },
          ...others.map((one) => ({ owner: 'other', amount: one })),
        ];
        const shares = fairShares(needs, all);
        expect(Math.min(mine, shares.get('me') ?? 0)).toBeGreaterThanOrEqual(Math.min(mine, all / 2) - 1e-9);
        const together = Math.min(mine, shares.get('me') ?? 0) + had(others, shares.get('other') ?? 0);
        expect(together).toBeLessThanOrEqual(all + 1e-9);
      }),
    );
  });
});
