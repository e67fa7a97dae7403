import type { TripleKey } from '../api/triple.ts';
import { pauseAfter } from './doubling-pause.ts';

/** Somebody sets a value back that we set: how often, to what, and until when we let them. */
export interface Override {
  readonly key: TripleKey;
  /** What it was set to. */
  readonly seen: number;
  /** Since the last long quiet. */
  readonly times: number;
  /** Milliseconds of the clock the caller uses. */
  readonly lastMs: number;
  /** It is left as it is until then. */
  readonly holdUntilMs: number;
}

/** So many are put right at once: a deployment that runs its sysctl script on every start is no war. */
const patience = 3;
const pauses = { firstMs: 60_000, longestMs: 3_600_000 };
/** After so long without one, the next counts as the first. */
const quietMs = 1_800_000;

/** The history with one more override. Past the third the value is left for a minute, and twice as long each time. */
export function overriddenAgain(
  before: Override | undefined,
  { key, seen, nowMs }: { key: TripleKey; seen: number; nowMs: number },
): Override {
  const times = before === undefined || isForgotten(before, nowMs) ? 1 : before.times + 1;
  const pauseMs = times <= patience ? 0 : pauseAfter(times - patience, pauses);
  return { key, seen, times, lastMs: nowMs, holdUntilMs: nowMs + pauseMs };
}

export function isHeldOff(override: Override | undefined, nowMs: number): boolean {
  return override !== undefined && nowMs < override.holdUntilMs;
}

export function isForgotten(override: Override, nowMs: number): boolean {
  return nowMs - Math.max(override.lastMs, override.holdUntilMs) >= quietMs;
}
