export interface BackOffLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * The delay before try number `failures + 1`: doubles from `minMs` up to `maxMs`, drawn from the upper half of
 * its step, so that clients that failed together (a restarted API server) do not come back together.
 */
export function backOffMs(failures: number, limits: BackOffLimits, random: () => number): number {
  const step = Math.min(limits.maxMs, limits.minMs * 2 ** Math.min(failures, 50));
  return Math.round(step / 2 + (random() * step) / 2);
}
