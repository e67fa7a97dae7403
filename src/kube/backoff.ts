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

/** As long as a pause of any other reason: who is told to wait for minutes is told so by a load balancer. */
const longestApartMs = 30_000;

/**
 * In so many milliseconds a server said to ask again. It says the same, in whole seconds, to all whom it turns away in one moment, which
 * may be thousands: they come back over as long again, so that not all are turned away once more.
 */
export function askedApartMs(askedMs: number, random: () => number): number {
  return Math.round(askedMs + random() * Math.min(askedMs, longestApartMs));
}
