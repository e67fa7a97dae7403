import type { Edition } from './policy-digest.ts';

/** The nodes after which one edition of a policy becomes Ready. */
export interface WaitedFor {
  readonly edition: Edition;
  /** In order. */
  readonly nodes: readonly string[];
}

/**
 * Those that were awaited at the first look at an edition, each for as long as it is. Where pods come and go, as those of jobs do, some
 * node is always one whose agent has not told of its first pod yet: whoever waited for all at once would wait for ever.
 */
export function waitedFor(
  edition: Edition,
  awaited: readonly string[],
  before: WaitedFor | undefined,
): WaitedFor {
  if (before === undefined || !isSame(before.edition, edition)) return { edition, nodes: awaited };
  if (before.nodes.length === 0) return before;
  const still = new Set(awaited);
  return { edition, nodes: before.nodes.filter((node) => still.has(node)) };
}

function isSame(one: Edition, other: Edition): boolean {
  return one.generation === other.generation && one.digest === other.digest;
}
