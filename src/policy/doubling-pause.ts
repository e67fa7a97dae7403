export interface Pauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** How long to leave alone what came so many `times` in a row, from 1: each time twice as long as before, up to the longest. */
export function pauseAfter(times: number, { firstMs, longestMs }: Pauses): number {
  return Math.min(longestMs, firstMs * 2 ** (times - 1));
}
