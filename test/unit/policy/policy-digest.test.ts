import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { digestOfPolicy, speaksOf } from '../../../src/policy/policy-digest.ts';
import { team } from '../../support/builder.ts';

const { effective } = team(90);

describe('the number that a report tells of a policy', () => {
  test.each([
    ['of another object of that name', digestOfPolicy('uid-2', effective)],
    ['of another timeout', digestOfPolicy('uid-1', team(30).effective)],
    [
      'of the same timeout, from which a version derives other values',
      digestOfPolicy('uid-1', { ...effective, probes: 5 }),
    ],
    ['of a value that is declared', digestOfPolicy('uid-1', { ...effective, declared: { probes: 6 } })],
  ])('is another %s', (_of, digest) => {
    expect(digest).not.toBe(digestOfPolicy('uid-1', effective));
  });

  test('is one that the API can hold, and never that of an agent which tells none', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 2, max: 86_400 }), (uid, seconds) => {
        const digest = digestOfPolicy(uid, team(seconds).effective);
        expect(digest).toBeGreaterThan(0);
        expect(digest).toBeLessThan(2 ** 31);
        expect(speaksOf({ observedGeneration: 1, policyDigest: digest }, { generation: 1, digest })).toBe(
          true,
        );
      }),
    );
  });
});
