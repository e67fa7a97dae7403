import { expect, test } from '@jest/globals';

import type { Override } from '../../../src/policy/override.ts';
import { isForgotten, isHeldOff, overriddenAgain } from '../../../src/policy/override.ts';

const minute = 60_000;
/** So many overrides, each as soon as it may be put right. */
function after(times: number): Override {
  let override: Override | undefined;
  for (let time = 0; time < times; time += 1) {
    const nowMs = override?.holdUntilMs ?? 0;
    override = overriddenAgain(override, { key: 'timeSeconds', seen: 7200, nowMs });
  }
  return override as Override;
}

test.each([
  [1, 0],
  [3, 0],
  [4, 1],
  [5, 2],
  [6, 4],
  [9, 32],
  [10, 60],
  [40, 60],
])('a value that was set back %i times is left alone for %i minutes', (times, minutes) => {
  const override = after(times);
  expect(override.times).toBe(times);
  expect(override.holdUntilMs - override.lastMs).toBe(minutes * minute);
  expect(isHeldOff(override, override.lastMs)).toBe(minutes > 0);
  expect(isHeldOff(override, override.holdUntilMs)).toBe(false);
});

test('half an hour of quiet makes the next the first again', () => {
  const override = after(5);
  expect(isForgotten(override, override.holdUntilMs + 30 * minute - 1)).toBe(false);
  const nowMs = override.holdUntilMs + 30 * minute;
  expect(isForgotten(override, nowMs)).toBe(true);
  expect(overriddenAgain(override, { key: 'probes', seen: 9, nowMs })).toMatchObject({
    times: 1,
    key: 'probes',
  });
});

test('a value that was never set back is not left alone', () => {
  expect(isHeldOff(undefined, 0)).toBe(false);
});
