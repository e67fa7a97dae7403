import type { Finding } from '../api/status.ts';
import { findingLimit } from '../api/status.ts';
import type { Ranks } from './census.ts';
import { compareText, rankOf, ranks as rankCount, worstFirst } from './finding.ts';

/**
 * The worst findings about pods, without all of them at hand: of each place only which kinds there are. Findings are ordered
 * by kind and then by place, so the first places of a kind have the first findings of it.
 */
export class Worst {
  /** By kind the first places by name, at most as many as can be listed: each has one finding of it at least. */
  readonly #places: string[][] = Array.from({ length: rankCount }, () => []);

  note(place: string, ranks: Ranks): void {
    for (let left = ranks, rank = 0; left !== 0; left >>>= 1, rank += 1) {
      const places = this.#places[rank] ?? [];
      if ((left & 1) === 0 || isBeyond(place, places, compareText) || places.includes(place)) continue;
      keep(place, places, compareText);
    }
  }

  /** At most findingLimit, worst first; `findingsAt` gives the worst of a place, and is asked for each place once. */
  list(findingsAt: (place: string) => readonly Finding[]): Finding[] {
    const listed: Finding[] = [];
    const known = new Map<string, readonly Finding[]>();
    const at = (place: string) => {
      const found = known.get(place) ?? findingsAt(place);
      known.set(place, found);
      return found;
    };
    for (const [rank, places] of this.#places.entries()) {
      for (const place of places) {
        if (listed.length >= findingLimit) return listed.slice(0, findingLimit);
        listed.push(...ofRank(at(place), rank));
      }
    }
    return listed.slice(0, findingLimit);
  }
}

/** Of any number the worst, as many as can be listed, in their order: of those that come to the same the first. */
export function worstOf<T extends Omit<Finding, 'message'>>(findings: Iterable<T>): T[] {
  const kept: T[] = [];
  for (const one of findings) keep(one, kept, worstFirst);
  return kept;
}

function ofRank(findings: readonly Finding[], rank: number): Finding[] {
  return findings.filter(({ reason }) => rankOf(reason) === rank).sort(worstFirst);
}

type Order<T> = (one: T, other: T) => number;

/** In its place among the first, as far as it is one of as many as can be listed. */
function keep<T>(one: T, kept: T[], order: Order<T>): void {
  if (isBeyond(one, kept, order)) return;
  kept.splice(placeFor(one, kept, order), 0, one);
  kept.length = Math.min(kept.length, findingLimit);
}

/** As many as can be listed come before it. */
function isBeyond<T>(one: T, kept: readonly T[], order: Order<T>): boolean {
  const last = kept[findingLimit - 1];
  return last !== undefined && order(one, last) >= 0;
}

/** Behind all that come to the same. */
function placeFor<T>(one: T, kept: readonly T[], order: Order<T>): number {
  let [from, to] = [0, kept.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = kept[middle];
    if (other !== undefined && order(one, other) >= 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
