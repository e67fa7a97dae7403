import { isDeepStrictEqual } from 'node:util';

import type { SocketTarget } from '../../policy/connection.ts';
import type { Place } from '../../policy/place.ts';
import { scanPeriodSeconds } from '../../policy/socket-target.ts';
import { fairShares, ownerOf } from './fair-share.ts';
import type { Looked } from './socket-scan.ts';

export interface Due {
  readonly target: SocketTarget;
  /** Whether sockets that were looked at before are looked at again. */
  readonly everySocket: boolean;
}

/** What is otherwise than it was. */
export interface Changes {
  /** Places that nobody asks about any more. */
  readonly gone: readonly Place[];
  /** How many there are that were not. */
  readonly fresh: number;
  /** How many of the others ask for something else. */
  readonly asked: number;
}

/** What looking at a place took, in milliseconds of a core; undefined before it was. */
interface Cost {
  /** All of its sockets, and new ones alone. */
  counted: number | undefined;
  looked: number;
  /** The last look, whichever it was, and when it ended. */
  lastMs: number;
  endedMs: number;
}

interface Entry {
  target: SocketTarget;
  dueMs: number;
  isUnderWay: boolean;
  /** Sockets that were looked at before have to be looked at again. */
  owesAll: boolean;
  readonly cost: Cost;
}

/** Of a core, for one place, and for all of the node. */
const most = { ofPlace: 0.02, ofNode: 0.1 };
/** So many times as long as the last look at a place took, it is remembered that it did, when nobody asks about the place any more. */
const remembered = 1000;
/** What is due this soon is looked at together, since each look begins with all processes of the node. */
const togetherMs = 250;

/**
 * When which place is looked at: each as often as its own shortest timeout asks, so that one that is asked to speak
 * each second costs nothing elsewhere, and so much more seldom as its share of the processor asks. All are counted
 * together, since each new count makes a report.
 */
export class SocketSchedule {
  readonly #countMs: number;
  readonly #entries = new Map<Place, Entry>();
  /** Of places that are gone, which would else be rid of their rest by going and coming back. */
  readonly #gone = new Map<Place, Cost>();
  #countDueMs = -Infinity;
  /** By owner, of a core, for each of his places. */
  #shares: ReadonlyMap<string, number> = new Map();

  constructor(countMs: number) {
    this.#countMs = countMs;
  }

  targetOf(place: Place): SocketTarget | undefined {
    return this.#entries.get(place)?.target;
  }

  /** From now on these. */
  follow(targets: readonly SocketTarget[], nowMs: number): Changes {
    const wanted = new Set(targets.map(({ place }) => place));
    const gone = [...this.#entries.keys()].filter((place) => !wanted.has(place));
    for (const place of gone) this.#drop(place);
    const fresh = targets.filter(({ place }) => !this.#entries.has(place)).length;
    const changed = targets.filter((target) => this.#want(target, nowMs)).length;
    return { gone, fresh, asked: changed - fresh };
  }

  /** Those whose turn it is: quick ones first, then those of which nobody knows, one of each owner at a time. */
  due(nowMs: number): Due[] {
    if (nowMs >= this.#countDueMs) {
      for (const entry of this.#entries.values()) entry.owesAll = true;
      this.#countDueMs = nowMs + this.#countMs;
    }
    this.#reckon(nowMs);
    const due = [...this.#entries.values()].filter((entry) => this.#dueMsOf(entry) <= nowMs + togetherMs);
    return inTurn(due).map((entry) => {
      const everySocket = entry.owesAll;
      // Asked for again while the look goes on, it is owed again.
      entry.owesAll = false;
      entry.isUnderWay = true;
      return { target: entry.target, everySocket };
    });
  }

  /**
   * `nowMs`: when the look ended. For how long a new socket of it may not be met, in milliseconds: since the look before,
   * or until the next, whichever is longer.
   */
  looked(place: Place, { cpuMs, as }: Pick<Looked, 'cpuMs' | 'as'>, nowMs: number): number {
    const entry = this.#entries.get(place);
    if (entry === undefined) return 0;
    const { cost } = entry;
    const sinceMs = nowMs - cost.endedMs;
    if (as === 'hung') entry.owesAll = true;
    else cost[as === 'looked' ? as : 'counted'] = cpuMs;
    cost.lastMs = cpuMs;
    cost.endedMs = nowMs;
    entry.isUnderWay = false;
    entry.dueMs = nextTurnMs(entry.target, nowMs);
    return Math.max(Number.isFinite(sinceMs) ? sinceMs : 0, this.#restMsOf(entry));
  }

  /** Nothing came of it: these have their turn again. */
  giveBack(due: readonly Due[], nowMs: number): void {
    for (const { target, everySocket } of due) {
      const entry = this.#entries.get(target.place);
      if (entry?.isUnderWay !== true) continue;
      entry.isUnderWay = false;
      entry.dueMs = nowMs;
      entry.owesAll ||= everySocket;
    }
  }

  /** Undefined where there is nobody to look at, until it changes. */
  nextDueMs(): number | undefined {
    const entries = [...this.#entries.values()];
    const dueMs = Math.min(
      entries.length > 0 ? this.#countDueMs : Infinity,
      ...entries.map((entry) => this.#dueMsOf(entry)),
    );
    return Number.isFinite(dueMs) ? dueMs : undefined;
  }

  /** What each owner's places may have at present, and what is not worth remembering any more. */
  #reckon(nowMs: number): void {
    const needs = [...this.#entries.values()].map(({ target, cost }) => {
      const needed = (cost.counted ?? 0) / this.#countMs + cost.looked / periodMsOf(target);
      return { owner: ownerOf(target), amount: Math.min(needed, most.ofPlace) };
    });
    this.#shares = fairShares(needs, most.ofNode);
    for (const [place, { endedMs, lastMs }] of this.#gone)
      if (nowMs > endedMs + lastMs * remembered) this.#gone.delete(place);
  }

  /** What is owed does not wait for its turn; whoever takes long waits for both. */
  #dueMsOf(entry: Entry): number {
    const { dueMs, isUnderWay, owesAll, cost } = entry;
    if (isUnderWay) return Infinity;
    return Math.max(owesAll ? 0 : dueMs, cost.endedMs + this.#restMsOf(entry));
  }

  /** Asked anew each time: others may have come, who need a share, or gone. */
  #restMsOf({ target, cost }: Entry): number {
    return cost.lastMs / Math.min(most.ofPlace, this.#shares.get(ownerOf(target)) ?? Infinity);
  }

  #drop(place: Place): void {
    const entry = this.#entries.get(place);
    if (entry !== undefined) this.#gone.set(place, entry.cost);
    this.#entries.delete(place);
  }

  /** A place that asks for other values owes them to every socket; a new one has none that was looked at. */
  #want(target: SocketTarget, nowMs: number): boolean {
    const known = this.#entries.get(target.place);
    if (known !== undefined && isDeepStrictEqual(known.target, target)) return false;
    const cost = known?.cost ?? this.#gone.get(target.place) ?? neverLookedAt();
    this.#gone.delete(target.place);
    this.#entries.set(target.place, { target, dueMs: nowMs, isUnderWay: false, owesAll: true, cost });
    return true;
  }
}

function neverLookedAt(): Cost {
  return { counted: undefined, looked: 0, lastMs: 0, endedMs: -Infinity };
}

function inTurn(entries: readonly Entry[]): Entry[] {
  const unknown = entries.filter(({ cost }) => cost.counted === undefined);
  const ranks = new Map<string, number>();
  const ranked = unknown.map((entry) => {
    const owner = ownerOf(entry.target);
    const rank = ranks.get(owner) ?? 0;
    ranks.set(owner, rank + 1);
    return { entry, rank };
  });
  const known = entries.filter(({ cost }) => cost.counted !== undefined);
  return [
    ...known.sort((a, b) => (a.cost.counted ?? 0) - (b.cost.counted ?? 0)),
    ...ranked.sort((a, b) => a.rank - b.rank).map(({ entry }) => entry),
  ];
}

/** Those that are looked at equally often have their turns at the same moment. */
function nextTurnMs(target: SocketTarget, nowMs: number): number {
  const periodMs = periodMsOf(target);
  if (periodMs === Infinity) return Infinity;
  return (Math.floor(nowMs / periodMs) + 1) * periodMs;
}

function periodMsOf(target: SocketTarget): number {
  return (scanPeriodSeconds([target]) ?? Infinity) * 1000;
}
