import { describe, expect, test } from '@jest/globals';

import type { SocketReading, SocketTarget } from '../../../src/policy/connection.ts';
import { placeOfPod } from '../../../src/policy/place.ts';
import { withRest } from '../../../src/policy/socket-target.ts';
import { leftOutDraft } from '../../../src/policy/unreached.ts';
import { behind } from '../../support/builder.ts';

const place = placeOfPod('one');
const target: SocketTarget = { place, wanted: behind(90), timeouts: [90] };
const reading: SocketReading = { place, byTimeout: {}, repaired: 0, failures: {}, leftOut: { Hangs: 1 } };

describe('a place that is not looked at for a while', () => {
  test.each([
    // Probes begin 30 s after a connection was given keepalive.
    ['is as it was where what opens meanwhile still speaks in time', 60, {}],
    ['is told where it does not', 61, { Seldom: 64 }],
    ['is told in steps, so that each look is no news', 100, { Seldom: 128 }],
    ['is told in steps, so that each look is no news', 128, { Seldom: 128 }],
  ])('%s: %d s', (_, seconds, leftOut) => {
    expect(withRest(reading, target, seconds * 1000).leftOut).toEqual({ Hangs: 1, ...leftOut });
  });

  test('is not told where nobody gives it keepalive', () => {
    expect(withRest(reading, { ...target, wanted: undefined }, 1e9)).toBe(reading);
  });

  test('says what to do', () => {
    const { reason, say } = leftOutDraft('Seldom', 64);
    expect(reason).toBe('TooManySockets');
    expect(say()).toContain('only every 64 s or so');
  });
});
