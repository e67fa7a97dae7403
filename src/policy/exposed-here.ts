import type { Contribution } from './contribution.ts';

interface Here {
  readonly selected: number;
  /** Of those that have started, as many are not live as far as anybody knows. */
  readonly notLive: number;
  /** At most so many of them are none of those that the node told of. */
  readonly unread: number;
}

/**
 * How many of the pods that are there now are exposed for certain, by what their node told last. Of those that it called exposed some may be gone: as
 * many at most as it told of and are not among those that are left. In their places may be others, of which nobody knows.
 */
export function exposedHere(
  { selected: told, live, pending }: Pick<Contribution, 'selected' | 'live' | 'pending'>,
  { selected, notLive, unread }: Here,
): number {
  const gone = Math.max(0, told - (selected - unread));
  return Math.min(notLive, Math.max(0, told - live - pending - gone));
}
