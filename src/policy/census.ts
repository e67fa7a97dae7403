import { skipReasons } from '../api/status.ts';
import type { Draft, Silence } from './finding.ts';
import { exposedDraft, missedDraft, ownValuesChanged, rankOf, skippedDraft, whereabouts } from './finding.ts';
import type { Basis, Judgement } from './judgement.ts';
import { Judge } from './judgement.ts';
import type { PodView } from './pod.ts';
import type { EffectivePolicy } from './policy.ts';
import { selectsPod } from './policy.ts';
import { asDigest } from './fnv.ts';
import { partOfPod } from './pod-digest.ts';
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
  /** Pods that came since whoever reads them had told of all. */
  fresh: 8,
} as const;
type Column = Exclude<keyof typeof column, 'digest' | 'fresh'>;
const firstSkip = Object.keys(column).length;
const columns = firstSkip + skipReasons.length;

/** The selected pods of one place, by their specs. */
export type Tally = Readonly<Record<Column, number>> & {
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

  /**
   * A pod comes, goes, changes, or counts on another basis. True where it is selected, or was. What comes is counted before what goes:
   * a row that is empty for a moment would forget what is fresh.
   */
  change(was: Member | undefined, is: Member | undefined): boolean {
    const [before, after] = [this.#selected(was), this.#selected(is)];
    if (after !== undefined) this.#count(after, 1, isSamePod(before?.pod, after.pod) ? 0 : 1);
    if (before !== undefined) this.#count(before, -1);
    return before !== undefined || after !== undefined;
  }

  /** Somebody has told that he has looked at these pods of a place: where these are all, none of them is fresh any more. */
  noteRead(place: string, podsDigest: number): void {
    if (!this.#isAll(place, podsDigest)) return;
    const row = this.#rows.rowOf(place);
    this.#rows.addAt(row, column.fresh, -this.#rows.getAt(row, column.fresh));
  }

  /**
   * Whether what somebody told of these pods speaks of all that are there now. Of those that are left where some went since, it does only
   * if he had the same to say of each (`areAlike`).
   */
  isRead(place: string, podsDigest: number, areAlike: boolean): boolean {
    return this.#isAll(place, podsDigest) || (areAlike && this.#rows.get(place, column.fresh) === 0);
  }

  /** How many of the pods that are there now somebody who told of these may not have looked at: as many at most. */
  unreadAt(place: string, podsDigest: number): number {
    return this.#isAll(place, podsDigest) ? 0 : this.#rows.get(place, column.fresh);
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
  draftsOf(pod: PodView, basis: Basis, { policy, isJudged, silence }: Telling): Draft[] {
    if (!pod.live || !selectsPod(policy, pod)) return [];
    const { standing, isMissed } = this.#judge.of(pod, basis);
    if (!isJudged) return isMissed ? [missedDraft({ pod, isJudged }, policy)] : [];
    const own =
      pod.changedFrom === undefined
        ? []
        : [{ ...ownValuesChanged(pod.changedFrom, pod.declared ?? {}), ...whereabouts(pod, policy) }];
    if (standing === 'declared') return own;
    if (isMissed) return [missedDraft({ pod, isJudged }, policy), ...own];
    const draft =
      standing === undefined ? exposedDraft(pod, policy, silence) : skippedDraft(pod, standing, policy);
    return [draft, ...own];
  }

  #selected(one: Member | undefined): Member | undefined {
    return one !== undefined && one.pod.live && selectsPod(this.#policy, one.pod) ? one : undefined;
  }

  #isAll(place: string, podsDigest: number): boolean {
    return this.#rows.has(place) && podsDigest === asDigest(this.#rows.get(place, column.digest));
  }

  /** The name of its place is looked up once: it is done for each pod and each policy that selects it. */
  #count({ pod, basis }: Member, by: 1 | -1, fresh = 0): void {
    const place = placeIn(pod);
    const row = this.#rows.rowOf(place);
    this.#add(row, column.selected, by);
    if (pod.pending) this.#add(row, column.pending, by);
    if (pod.changedFrom !== undefined) this.#add(row, column.changed, by);
    const at = columnOf(this.#judge.of(pod, basis));
    this.#add(row, at, by);
    if (at === column.declared && !pod.pending) this.#add(row, column.started, by);
    this.#rows.addAt(row, column.digest, by * partOfPod(pod));
    if (fresh > 0) this.#rows.addAt(row, column.fresh, fresh);
    if (this.#rows.getAt(row, column.selected) === 0) this.#rows.delete(place);
  }

  #add(row: number, at: number, by: number): void {
    this.#rows.addAt(row, at, by);
    this.#totals[at] = (this.#totals[at] ?? 0) + by;
  }
}

/** A pod, and on what it counts. */
interface Member {
  readonly pod: PodView;
  readonly basis: Basis;
}

/** In the same place, too. */
function isSamePod(before: PodView | undefined, after: PodView): boolean {
  return before !== undefined && before.uid === after.uid && placeIn(before) === placeIn(after);
}

interface Telling {
  /** As it may act: the same, but for its mode. */
  readonly policy: EffectivePolicy;
  readonly isJudged: boolean;
  /** In the namespace of the pod; undefined where admission acts. */
  readonly silence: Silence | undefined;
}

/** As what a selected pod counts. */
function columnOf({ standing, isMissed }: Judgement): number {
  if (standing === 'declared') return column.declared;
  if (standing !== undefined) return firstSkip + skipReasons.indexOf(standing.reason);
  return isMissed ? column.missed : column.exposed;
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
