const mostCounted = 2 ** 31 - 1;

/** The API keeps no larger number: where nodes say so much, what they say is wrong anyway. */
export function bounded(count: number): number {
  return Math.min(mostCounted, count);
}
