import type { SocketTarget } from '../../policy/connection.ts';

/** Who pays for what a place costs: its namespace, or the node, which has none. No namespace has this name. */
export function ownerOf({ namespace = '' }: Pick<SocketTarget, 'namespace'>): string {
  return namespace;
}

/** What somebody would need of something scarce, and who must not pay for whom. */
export interface Need {
  readonly owner: string;
  readonly amount: number;
}

/**
 * The most that each may have so that all have no more than `total`: who needs less has what it needs, the others the
 * same. Infinity where there is enough.
 */
export function fairShare(needed: readonly number[], total: number): number {
  let left = total;
  const smallestFirst = [...needed].sort((a, b) => a - b);
  for (const [at, need] of smallestFirst.entries()) {
    const each = left / (smallestFirst.length - at);
    if (need > each) return each;
    left -= need;
  }
  return Infinity;
}

/** By owner, the most that each of his may have: first owners share, then what is theirs does, so that having many gains nothing. */
export function fairShares(needs: readonly Need[], total: number): ReadonlyMap<string, number> {
  const byOwner = Map.groupBy(needs, ({ owner }) => owner);
  const amounts = new Map([...byOwner].map(([owner, own]) => [owner, own.map(({ amount }) => amount)]));
  const sums = new Map([...amounts].map(([owner, own]) => [owner, own.reduce((sum, one) => sum + one, 0)]));
  const each = fairShare([...sums.values()], total);
  return new Map(
    [...amounts].map(([owner, own]) => [
      owner,
      (sums.get(owner) ?? 0) <= each ? Infinity : fairShare(own, each),
    ]),
  );
}
