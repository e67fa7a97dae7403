import type { Clock } from '../kube/clock.ts';

/** Of the time that goes by, one part in ten is spent on what anybody may ask for, however often it is asked. */
const restParts = 9;

/**
 * Whoever asks while something is being made gets the same, and so does who asks soon afterwards: it is made anew when nine times as
 * long has gone by as it took. What could not be made is not kept.
 */
export function sparing<T>(make: () => Promise<T>, clock: Clock): () => Promise<T> {
  let last: Promise<T> | undefined;
  let restUntil = -Infinity;
  return () => {
    if (last !== undefined && clock.now() < restUntil) return last;
    const startedAt = clock.now();
    // Until it is made, nobody else makes it.
    restUntil = Infinity;
    last = make().finally(() => {
      const now = clock.now();
      restUntil = now + restParts * (now - startedAt);
    });
    last.catch(() => (last = undefined));
    return last;
  };
}
