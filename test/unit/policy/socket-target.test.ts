import { describe, expect, test } from '@jest/globals';

import type { SocketReading, SocketTarget } from '../../../src/policy/connection.ts';
import { placeOfPod } from '../../../src/policy/place.ts';
import { withUnmet } from '../../../src/policy/socket-target.ts';
import { leftOutDraft } from '../../../src/policy/unreached.ts';
import { behind } from '../../support/builder.ts';

const place = placeOfPod('one');
const target: SocketTarget = { place, wanted: behind(90), timeouts: [90] };
const reading: SocketReading = { place, byTimeout: {}, repaired: 0, failures: {}, leftOut: { Hangs: 1 } };

describe('a place whose new sockets are not met for a while', () => {
  test.each([
    // Probes begin 30 s after a connection was given keepalive.
    ['is as it was where what opens meanwhile still speaks in time', 60, {}],
    ['is told where it does not', 61, { Seldom: 64 }],
    ['is told in steps, so that each look is no news', 100, { Seldom: 128 }],
    ['is told in steps, so that each look is no news', 128, { Seldom: 128 }],
  ])('%s: %d s', (_, seconds, leftOut) => {
    expect(withUnmet(reading, target, seconds * 1000).leftOut).toEqual({ Hangs: 1, ...leftOut });
  });

  test('that is only counted is told where the count is older than the timeout that it is about', () => {
    const counted = { ...target, wanted: undefined };
    expect(withUnmet(reading, counted, 90_000)).toBe(reading);
    expect(withUnmet(reading, counted, 91_000).leftOut).toMatchObject({ Seldom: 128 });
  });

  test('is as it was for ten seconds, which a busy node makes anybody wait', () => {
    const eager = { ...target, wanted: behind(3), timeouts: [3] };
    expect(withUnmet(reading, eager, 10_000)).toBe(reading);
    expect(withUnmet(reading, eager, 10_001).leftOut).toMatchObject({ Seldom: 16 });
  });

  test('says what to do', () => {
    const { reason, say } = leftOutDraft('Seldom', 64);
    expect(reason).toBe('TooManySockets');
    expect(say()).toContain('only every 64 s or so');
  });
});
