import { isDeepStrictEqual } from 'node:util';

import type { SocketTarget } from '../../policy/connection.ts';
import type { Place } from '../../policy/place.ts';
import { stepSeconds } from '../../policy/socket-target.ts';
import type { Network } from '../node-kernel.ts';
import { fairShares, ownerOf } from './fair-share.ts';
import type { OwnedNetwork } from './network-sweep.ts';
import { SweepBars } from './sweep-bars.ts';

/** A place whose new connections have their values from the kernel, and what was ordered for it. */
export interface ServedTarget {
  readonly target: SocketTarget;
  readonly network: Network;
}

interface Order {
  readonly wanted: SocketTarget['wanted'];
  /** Another one after each change: the same values after others may have been loosened while those were ordered. */
  readonly number: number;
}

interface Entry {
  network: Network;
  /** Who pays for its sweeps, and for what is lost to one that hangs. */
  owner: string;
  /** Of these places, the number of what was ordered when they were swept last. */
  readonly swept: Map<Place, number>;
  places: ReadonlyMap<Place, Order>;
  /** As they are while a sweep is under way: what is ordered meanwhile may have come too late for it. */
  underWay: ReadonlyMap<Place, Order> | undefined;
  /** Of these places, somebody undid what a connection was given. */
  readonly loosened: Set<Place>;
  /** And of these, when that was seen last. */
  readonly loosenedMs: Map<Place, number>;
  /** When the last sweep because of that began: it has no effect for long, where a program loosens in a loop. */
  calmedMs: number;
  /** What the last sweep took of a core, and when it ended. */
  cpuMs: number;
  sweptMs: number;
  failures: number;
  notBeforeMs: number;
}

/** Of a core, for one network, and for all that are swept again, whether something else is ordered or somebody loosened. */
const most = { ofNetwork: 0.02, ofNode: 0.1 };
/** Of a core: what a network takes that nobody asks about any more, and that was not swept for so long, is forgotten. */
const negligible = 0.0001;
/** Between two sweeps of a network because of that, where no timeout asks for less. */
const longestCalmSeconds = 30;
/** Who loosened is believed to do it again for so long. */
const believedMs = 600_000;
/** What fails so often in a row is left to others for a while. */
const mostFailures = 3;
const retryMs = 1000;

/**
 * Which network namespaces the kernel has to sweep for what was open before: each once for all of its places, when something
 * new is ordered in it or a connection was loosened. One in which sweeps hang or fail is barred, and its places are
 * left to descriptors.
 */
export class OwedSweeps {
  readonly #mayRisk: (owner: string) => boolean;
  readonly #entries = new Map<bigint, Entry>();
  #cookies: ReadonlyMap<Place, bigint> = new Map();
  readonly #bars = new SweepBars();
  /** By owner, of a core, for each of his networks that is swept again. */
  #shares: ReadonlyMap<string, number> = new Map();
  #orders = 0;

  /** `mayRisk`: whether a sweep of what is that owner's may hang. */
  constructor(mayRisk: (owner: string) => boolean = () => true) {
    this.#mayRisk = mayRisk;
  }

  /** From now on these, as the kernel was told. */
  follow(served: readonly ServedTarget[], nowMs: number): void {
    this.#cookies = new Map(served.map(({ target, network }) => [target.place, network.cookie]));
    this.#bars.forget(nowMs);
    const byCookie = Map.groupBy(served, ({ network }) => network.cookie);
    for (const [cookie, entry] of this.#entries) if (!byCookie.has(cookie)) this.#leave(cookie, entry, nowMs);
    for (const [cookie, ofNetwork] of byCookie) this.#followOne(cookie, ofNetwork);
  }

  /** Somebody undid what a connection was given. */
  loosened(place: Place, nowMs: number): void {
    const entry = this.#entryOf(place);
    entry?.loosened.add(place);
    entry?.loosenedMs.set(place, nowMs);
  }

  /** How long a connection of that place may wait for a sweep that was seen to be loosened; undefined where none was of late. */
  repairMsOf(place: Place, nowMs: number): number | undefined {
    const entry = this.#entryOf(place);
    const loosenedMs = entry?.loosenedMs.get(place);
    if (entry === undefined || loosenedMs === undefined || nowMs > loosenedMs + believedMs) return undefined;
    return Math.max(calmMsOf(entry, [place]), this.#restMsOf(entry));
  }

  /** Those whose turn it is. */
  begin(nowMs: number): OwnedNetwork[] {
    this.#reckon(nowMs);
    const due = [...this.#entries.values()].filter((entry) => this.#dueMsOf(entry) <= nowMs);
    for (const entry of due) {
      entry.underWay = entry.places;
      if (entry.loosened.size > 0) entry.calmedMs = nowMs;
      entry.loosened.clear();
    }
    return due.map(({ network, owner }) => ({ ...network, owner }));
  }

  /** Nothing came of those that are under way still. */
  giveBack(): void {
    for (const entry of this.#entries.values()) entry.underWay = undefined;
  }

  swept(cookie: bigint, cpuMs: number, nowMs: number): void {
    const entry = this.#entries.get(cookie);
    if (entry?.underWay === undefined) return;
    for (const [place, { number }] of entry.underWay)
      if (entry.places.has(place)) entry.swept.set(place, number);
    entry.underWay = undefined;
    entry.failures = 0;
    [entry.cpuMs, entry.sweptMs] = [cpuMs, nowMs];
  }

  failed(cookie: bigint, nowMs: number): void {
    const entry = this.#entries.get(cookie);
    if (entry === undefined) return;
    entry.underWay = undefined;
    entry.failures += 1;
    entry.notBeforeMs = nowMs + retryMs * 2 ** entry.failures;
    if (entry.failures < mostFailures) return;
    entry.failures = 0;
    this.#bars.failed(cookie, nowMs);
  }

  /** Those that are left to descriptors, whoever asks. */
  get bars(): Omit<SweepBars, 'failed' | 'forget'> {
    return this.#bars;
  }

  /** Whether the kernel has met each connection that was open there when the place came to be served. */
  isSwept(place: Place): boolean {
    return this.#entryOf(place)?.swept.has(place) === true;
  }

  /** Whether its network may be swept: too much was lost to its owner's otherwise, or to everybody's. */
  mayRisk(place: Place): boolean {
    const entry = this.#entryOf(place);
    return entry === undefined || this.#mayRisk(entry.owner);
  }

  /** Undefined where nothing is owed. */
  nextDueMs(): number | undefined {
    const dueMs = Math.min(...[...this.#entries.values()].map((entry) => this.#dueMsOf(entry)));
    return Number.isFinite(dueMs) ? dueMs : undefined;
  }

  /** Of what it took, and of what the sweep that is under way takes, it is not rid by asking for nothing and then again. */
  #leave(cookie: bigint, entry: Entry, nowMs: number): void {
    entry.places = new Map();
    for (const known of [entry.swept, entry.loosened, entry.loosenedMs]) known.clear();
    if (entry.underWay !== undefined) entry.underWay = new Map();
    else if (recentOf(entry, nowMs) < negligible) this.#entries.delete(cookie);
  }

  #followOne(cookie: bigint, served: readonly ServedTarget[]): void {
    const [first] = served;
    if (first === undefined) return;
    const entry = this.#entries.get(cookie) ?? newEntry(first.network);
    entry.network = first.network;
    entry.owner = ownerOfAll(served);
    const before = entry.places;
    const order = ({ place, wanted }: SocketTarget) => this.#ordered(wanted, before.get(place));
    entry.places = new Map(served.map(({ target }) => [target.place, order(target)]));
    for (const known of [entry.swept, entry.loosened, entry.loosenedMs])
      for (const place of known.keys()) if (!entry.places.has(place)) known.delete(place);
    this.#entries.set(cookie, entry);
  }

  #ordered(wanted: SocketTarget['wanted'], before: Order | undefined): Order {
    if (before !== undefined && isDeepStrictEqual(wanted, before.wanted)) return before;
    return { wanted, number: (this.#orders += 1) };
  }

  #dueMsOf(entry: Entry): number {
    if (entry.underWay !== undefined) return Infinity;
    const againMs = entry.sweptMs + this.#restMsOf(entry);
    const sinceMs = isOwed(entry) ? againMs : Math.max(againMs, loosenedDueMsOf(entry));
    if (sinceMs === Infinity || !this.#mayRisk(entry.owner)) return Infinity;
    return Math.max(sinceMs, entry.notBeforeMs, this.#bars.untilMs(entry.network.cookie));
  }

  /** None before the first sweep of a network. */
  #restMsOf({ owner, cpuMs }: Entry): number {
    return cpuMs / Math.min(most.ofNetwork, this.#shares.get(owner) ?? Infinity);
  }

  /** What each owner's networks may have at present. */
  #reckon(nowMs: number): void {
    const needs = [...this.#entries.values()].map((entry) => {
      for (const [place, ms] of entry.loosenedMs) if (nowMs > ms + believedMs) entry.loosenedMs.delete(place);
      const loosened =
        entry.loosenedMs.size === 0 ? 0 : entry.cpuMs / calmMsOf(entry, entry.loosenedMs.keys());
      const amount = Math.min(most.ofNetwork, Math.max(loosened, recentOf(entry, nowMs)));
      return { owner: entry.owner, amount };
    });
    this.#shares = fairShares(needs, most.ofNode);
  }

  #entryOf(place: Place): Entry | undefined {
    const cookie = this.#cookies.get(place);
    return cookie === undefined ? undefined : this.#entries.get(cookie);
  }
}

/** What pods of several namespaces share is the node's. */
function ownerOfAll(served: readonly ServedTarget[]): string {
  const [owner, ...others] = new Set(served.map(({ target }) => ownerOf(target)));
  return owner === undefined || others.length > 0 ? ownerOf({}) : owner;
}

function newEntry(network: Network): Entry {
  return {
    ...{ network, owner: ownerOf({}), swept: new Map(), places: new Map(), underWay: undefined },
    ...{ loosened: new Set(), loosenedMs: new Map(), calmedMs: -Infinity, cpuMs: 0, sweptMs: -Infinity },
    ...{ failures: 0, notBeforeMs: -Infinity },
  };
}

/** What it takes of a core if it is swept again now: a network is due once that is no more than its share. */
function recentOf({ cpuMs, sweptMs }: Entry, nowMs: number): number {
  return cpuMs / Math.max(1, nowMs - sweptMs);
}

/** When a sweep may come because of somebody who loosens; Infinity where nobody did. */
function loosenedDueMsOf(entry: Entry): number {
  return entry.loosened.size === 0 ? Infinity : entry.calmedMs + calmMsOf(entry, entry.loosened);
}

/** As soon as the strictest of these places asks. */
function calmMsOf({ places }: Entry, of: Iterable<Place>): number {
  const wanted = [...of].map((place) => places.get(place)?.wanted);
  return Math.min(longestCalmSeconds, stepSeconds(wanted)) * 1000;
}

/** Where nothing is wanted any more, there is nothing to give. */
function isOwed({ places, swept }: Entry): boolean {
  return [...places].some(
    ([place, { wanted, number }]) =>
      !swept.has(place) || (wanted !== undefined && swept.get(place) !== number),
  );
}
