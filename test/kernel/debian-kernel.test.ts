import { beforeAll, describe, expect, jest, test } from '@jest/globals';

import { seenInGuest } from './kernel-guest.ts';
import { wholeExpected } from './whole-expected.ts';

// A kernel that is emulated boots for some ten seconds, longer beside others.
jest.setTimeout(300_000);

let saw: ReadonlyMap<string, unknown>;
beforeAll(async () => {
  saw = await seenInGuest('program');
});

describe('a Debian kernel with control groups v2 alone', () => {
  test('is the one that is meant', () => {
    expect(saw.get('kernel')).toMatch(/^6\.1\./);
  });

  test.each(wholeExpected)('has all of it: %s', (what, as) => {
    expect(saw.get(what)).toEqual(as);
  });
});
