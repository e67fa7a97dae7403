import type { Triple } from './derive.ts';

/**
 * Key by key the smallest value: independent of order, idempotent, and still under every timeout that one
 * of them stays under, since the last probe only moves forward.
 */
export function strictest(first: Triple, ...others: readonly Triple[]): Triple {
  return others.reduce<Triple>(
    (merged, triple) => ({
      timeSeconds: Math.min(merged.timeSeconds, triple.timeSeconds),
      intervalSeconds: Math.min(merged.intervalSeconds, triple.intervalSeconds),
      probes: Math.min(merged.probes, triple.probes),
    }),
    { timeSeconds: first.timeSeconds, intervalSeconds: first.intervalSeconds, probes: first.probes },
  );
}

/** Whether `triple` has a value that `other` would tighten. */
export function isTightenedBy(triple: Triple, other: Triple): boolean {
  return (
    other.timeSeconds < triple.timeSeconds ||
    other.intervalSeconds < triple.intervalSeconds ||
    other.probes < triple.probes
  );
}

/** The way people write the three values: 30/10/6. */
export function shorthand({ timeSeconds, intervalSeconds, probes }: Triple): string {
  return `${timeSeconds}/${intervalSeconds}/${probes}`;
}
