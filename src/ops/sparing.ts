/** Of the time that goes by, one part in ten is spent on what anybody may ask for, however often it is asked. */
const restParts = 9;

/**
 * Whoever asks while something is being made gets the same, and so does who asks soon afterwards: it is made anew when nine times as
 * long has gone by as it took. What could not be made is not kept.
 */
export function sparing<T>(make: () => Promise<T>, now = () => performance.now()): () => Promise<T> {
  let last: Promise<T> | undefined;
  let restUntil = -Infinity;
  return () => {
    if (last !== undefined && now() < restUntil) return last;
    const startedAt = now();
    // Until it is made, nobody else makes it.
    restUntil = Infinity;
    last = make().finally(() => {
      const endedAt = now();
      restUntil = endedAt + restParts * (endedAt - startedAt);
    });
    last.catch(() => (last = undefined));
    return last;
  };
}
