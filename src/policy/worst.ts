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
      if ((left & 1) === 1) insert(this.#places[rank] ?? [], place);
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
  for (const one of findings) {
    const last = kept[findingLimit - 1];
    if (last !== undefined && worstFirst(one, last) >= 0) continue;
    kept.splice(placeFor(one, kept), 0, one);
    kept.length = Math.min(kept.length, findingLimit);
  }
  return kept;
}

/** Behind all that are as bad. */
function placeFor<T extends Omit<Finding, 'message'>>(one: T, kept: readonly T[]): number {
  let [from, to] = [0, kept.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = kept[middle];
    if (other !== undefined && worstFirst(one, other) >= 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function ofRank(findings: readonly Finding[], rank: number): Finding[] {
  return findings.filter(({ reason }) => rankOf(reason) === rank).sort(worstFirst);
}

function insert(places: string[], place: string): void {
  const last = places[findingLimit - 1];
  if (last !== undefined && compareText(place, last) >= 0) return;
  if (places.includes(place)) return;
  const at = places.findIndex((other) => compareText(place, other) < 0);
  places.splice(at === -1 ? places.length : at, 0, place);
  places.length = Math.min(places.length, findingLimit);
}
