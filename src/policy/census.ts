import type { Finding } from '../api/status.ts';
import { skipReasons } from '../api/status.ts';
import {
  exposedFinding,
  missedFinding,
  ownValuesChanged,
  rankOf,
  skippedFinding,
  whereabouts,
} from './finding.ts';
import type { Basis, Judgement } from './judgement.ts';
import { Judge } from './judgement.ts';
import type { PodView } from './pod.ts';
import type { EffectivePolicy } from './policy.ts';
import { selectsPod } from './policy.ts';
import { asDigest, partOf } from './pod-digest.ts';
import { Rows } from './rows.ts';

/** Where pods without a node are counted: those that an agent will see to, where there is one, and the others. */
export const waitingPlace = ' ';
export const noPlace = '';

/** The name of its node, or one of the two above, which no node can have. No agent runs on Windows. */
export function placeIn({ node, pending, windows }: Pick<PodView, 'node' | 'pending' | 'windows'>): string {
  return node ?? (pending && !windows ? waitingPlace : noPlace);
}

const column = {
  selected: 0,
  pending: 1,
  declared: 2,
  started: 3,
  exposed: 4,
  missed: 5,
  changed: 6,
  /** A sum of parts that wraps. */
  digest: 7,
  /** Came since somebody who reads them had read all. */
  fresh: 8,
} as const;
type Column = keyof typeof column;
const firstSkip = Object.keys(column).length;
const columns = firstSkip + skipReasons.length;

/** The selected pods of one place, by their specs. */
export type Tally = Readonly<Record<Exclude<Column, 'digest' | 'fresh'>, number>> & {
  /** In the order of skipReasons. */
  readonly skips: readonly number[];
};

/** Worst kinds first: how many of them a place may have findings of, bit by bit. */
export type Ranks = number;

/**
 * What one policy selects, counted by place from the specs of pods alone, whatever agents say. What was counted is taken out
 * again by the same judgement, so that whatever comes and goes the numbers are those of a count of what is there.
 */
export class Census {
  readonly #policy: EffectivePolicy;
  readonly #judge: Judge;
  readonly #rows = new Rows(columns);
  readonly #totals = Array.from({ length: columns }, () => 0);

  constructor(policy: EffectivePolicy) {
    this.#policy = policy;
    this.#judge = new Judge(policy);
  }

  /** True where the pod is selected. `isFresh`: it was not there before, so nobody has read it. */
  add(pod: PodView, basis: Basis, isFresh: boolean): boolean {
    const is = this.#count(pod, basis, 1);
    if (is && isFresh) this.#rows.add(placeIn(pod), column.fresh, 1);
    return is;
  }

  /** As it was added, on the same basis. */
  remove(pod: PodView, basis: Basis): boolean {
    return this.#count(pod, basis, -1);
  }

  places(): IterableIterator<string> {
    return this.#rows.keys();
  }

  has(place: string): boolean {
    return this.#rows.has(place);
  }

  total(of: Column): number {
    return this.#totals[column[of]] ?? 0;
  }

  /** One number of a place. */
  count(place: string, of: Column): number {
    return this.#rows.get(place, column[of]);
  }

  /** Whether all pods of a place were read by whoever says this of them, then or before; those that went since are no matter. */
  isRead(place: string, podsDigest: number): boolean {
    const fresh = this.#rows.get(place, column.fresh);
    if (fresh === 0) return true;
    if (podsDigest !== asDigest(this.#rows.get(place, column.digest))) return false;
    this.#rows.add(place, column.fresh, -fresh);
    return true;
  }

  tallyOf(place: string): Tally {
    const of = (name: Column) => this.#rows.get(place, column[name]);
    return {
      ...{
        selected: of('selected'),
        pending: of('pending'),
        declared: of('declared'),
        started: of('started'),
      },
      ...{ exposed: of('exposed'), missed: of('missed'), changed: of('changed') },
      skips: skipReasons.map((_, index) => this.#rows.get(place, firstSkip + index)),
    };
  }

  /** What a pod of a place is told to be, where its spec is all there is to go by (`isJudged`), or where it was missed. */
  findingsOf(pod: PodView, basis: Basis, { policy, isJudged, isWithheld }: Telling): Finding[] {
    if (!pod.live || !selectsPod(policy, pod)) return [];
    const { standing, isMissed } = this.#judge.of(pod, basis);
    if (!isJudged) return isMissed ? [missedFinding({ pod, isJudged }, policy)] : [];
    const own =
      pod.changedFrom === undefined
        ? []
        : [{ ...ownValuesChanged(pod.changedFrom, pod.declared ?? {}), ...whereabouts(pod, policy) }];
    if (standing === 'declared') return own;
    if (isMissed) return [missedFinding({ pod, isJudged }, policy), ...own];
    const finding =
      standing === undefined
        ? exposedFinding(pod, policy, isWithheld)
        : skippedFinding(pod, standing, policy);
    return [finding, ...own];
  }

  #count(pod: PodView, basis: Basis, by: 1 | -1): boolean {
    if (!pod.live || !selectsPod(this.#policy, pod)) return false;
    const place = placeIn(pod);
    for (const at of columnsOf(pod, this.#judge.of(pod, basis))) {
      this.#rows.add(place, at, by);
      this.#totals[at] = (this.#totals[at] ?? 0) + by;
    }
    this.#rows.add(place, column.digest, by * partOf(pod.uid ?? ''));
    if (this.#rows.get(place, column.selected) === 0) this.#rows.delete(place);
    return true;
  }
}

interface Telling {
  /** As it may act: the same, but for its mode. */
  readonly policy: EffectivePolicy;
  readonly isJudged: boolean;
  /** Admission gives way in the namespace of the pod. */
  readonly isWithheld: boolean;
}

/** Where a selected pod counts. */
function columnsOf(pod: PodView, { standing, isMissed }: Judgement): number[] {
  const counts: number[] = [column.selected];
  if (pod.pending) counts.push(column.pending);
  if (pod.changedFrom !== undefined) counts.push(column.changed);
  if (standing === undefined) counts.push(isMissed ? column.missed : column.exposed);
  else if (standing !== 'declared') counts.push(firstSkip + skipReasons.indexOf(standing.reason));
  else if (pod.pending) counts.push(column.declared);
  else counts.push(column.declared, column.started);
  return counts;
}

/** The ranks of what there is to tell of the pods of a place, by their specs. */
export function ranksOf({ exposed, missed, changed, skips }: Tally, isJudged: boolean): Ranks {
  const some = (count: number, reason: string) => (count > 0 ? 1 << rankOf(reason) : 0);
  const ofMissed = some(missed, 'MissedByAdmission');
  if (!isJudged) return ofMissed;
  return skips.reduce(
    (ranks, count, index) => ranks | some(count, skipReasons[index] ?? ''),
    ofMissed | some(exposed, 'NotDeclared') | some(changed, 'OwnValuesChanged'),
  );
}
