import { isDeepStrictEqual } from 'node:util';

import type { SocketTarget } from '../policy/connection.ts';
import type { Place } from '../policy/place.ts';
import { scanPeriodSeconds } from '../policy/socket-target.ts';
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

interface Entry {
  target: SocketTarget;
  dueMs: number;
  /** Sockets that were looked at before have to be looked at again. */
  owesAll: boolean;
  /** What the last look at all of its sockets took, and the last at new ones. */
  readonly cpuMs: { counted: number; looked: number };
  /** Not before, so that no place takes more than its share of the processor. */
  restUntilMs: number;
}

/** Of a core, for one place and for all of the node: whoever has many sockets is looked at so much more seldom. */
const most = { ofPlace: 0.02, ofNode: 0.1 };
/** What is due this soon is looked at together, since each look begins with all processes of the node. */
const togetherMs = 250;

/**
 * When which place is looked at: each as often as its own shortest timeout asks, so that one that is asked to speak
 * each second costs nothing elsewhere. All are counted together, since each new count makes a report.
 */
export class SocketSchedule {
  readonly #countMs: number;
  readonly #entries = new Map<Place, Entry>();
  #countDueMs = -Infinity;
  /** Of a core, for a place that would need more. */
  #share = most.ofPlace;

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
    for (const place of gone) this.#entries.delete(place);
    const fresh = targets.filter(({ place }) => !this.#entries.has(place)).length;
    const changed = targets.filter((target) => this.#want(target, nowMs)).length;
    return { gone, fresh, asked: changed - fresh };
  }

  /** Those whose turn it is, quick ones first. */
  due(nowMs: number): Due[] {
    if (nowMs >= this.#countDueMs) {
      for (const entry of this.#entries.values()) entry.owesAll = true;
      this.#countDueMs = nowMs + this.#countMs;
    }
    const needed = [...this.#entries.values()].map((entry) => this.#needOf(entry));
    this.#share = Math.min(most.ofPlace, fairShare(needed, most.ofNode));
    return [...this.#entries.values()]
      .filter((entry) => dueMsOf(entry) <= nowMs + togetherMs)
      .sort((a, b) => a.cpuMs.counted - b.cpuMs.counted)
      .map((entry) => {
        const everySocket = entry.owesAll;
        // Asked for again while the look goes on, it is owed again.
        entry.owesAll = false;
        entry.dueMs = Infinity;
        return { target: entry.target, everySocket };
      });
  }

  /** `nowMs`: when the look ended. How long nothing of it is looked at now, in milliseconds, since it took what it took. */
  looked(place: Place, { cpuMs, as }: Pick<Looked, 'cpuMs' | 'as'>, nowMs: number): number {
    const entry = this.#entries.get(place);
    if (entry === undefined) return 0;
    if (as === 'hung') entry.owesAll = true;
    else entry.cpuMs[as] = cpuMs;
    const restMs = cpuMs / this.#share;
    entry.restUntilMs = nowMs + restMs;
    entry.dueMs = nextTurnMs(entry.target, nowMs);
    return restMs;
  }

  /** It came to nothing: these have their turn again. */
  failed(due: readonly Due[], nowMs: number): void {
    for (const { target, everySocket } of due) {
      const entry = this.#entries.get(target.place);
      if (entry?.dueMs !== Infinity) continue;
      entry.dueMs = nowMs;
      entry.owesAll ||= everySocket;
    }
  }

  /** Undefined where there is nobody to look at. */
  nextDueMs(): number | undefined {
    if (this.#entries.size === 0) return undefined;
    return Math.min(this.#countDueMs, ...[...this.#entries.values()].map(dueMsOf));
  }

  /** Of a core, if it were looked at as often as it asks. */
  #needOf({ target, cpuMs }: Entry): number {
    return cpuMs.counted / this.#countMs + cpuMs.looked / periodMsOf(target);
  }

  /** A place that asks for other values owes them to every socket; a new one has none that was looked at. */
  #want(target: SocketTarget, nowMs: number): boolean {
    const known = this.#entries.get(target.place);
    if (known !== undefined && isDeepStrictEqual(known.target, target)) return false;
    const { cpuMs = { counted: 0, looked: 0 }, restUntilMs = 0 } = known ?? {};
    this.#entries.set(target.place, { target, dueMs: nowMs, owesAll: true, cpuMs, restUntilMs });
    return true;
  }
}

/** What is owed does not wait for its turn; whoever takes long waits for both. */
function dueMsOf({ dueMs, owesAll, restUntilMs }: Entry): number {
  return Math.max(owesAll && dueMs !== Infinity ? 0 : dueMs, restUntilMs);
}

/** Those that are looked at equally often have their turns at the same moment. */
function nextTurnMs(target: SocketTarget, nowMs: number): number {
  const periodMs = periodMsOf(target);
  return (Math.floor(nowMs / periodMs) + 1) * periodMs;
}

function periodMsOf(target: SocketTarget): number {
  return (scanPeriodSeconds([target]) ?? Infinity) * 1000;
}

/** The most that each may have so that all have no more than `total`: who needs less has what it needs, the others the same. */
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
