import { isDeepStrictEqual } from 'node:util';

import type { SocketTarget } from '../../policy/connection.ts';
import type { Place } from '../../policy/place.ts';
import type { Network } from '../node-kernel.ts';

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
  /** Of these places, the number of what was ordered when they were swept last. */
  readonly swept: Map<Place, number>;
  places: ReadonlyMap<Place, Order>;
  /** As they are while a sweep is under way: what is ordered meanwhile may have come too late for it. */
  underWay: ReadonlyMap<Place, Order> | undefined;
  isLoosened: boolean;
  /** A sweep because of that has no effect for long, where a program loosens in a loop. */
  loosenedNotBeforeMs: number;
  failures: number;
  notBeforeMs: number;
}

/** Kept as long as it holds, whoever asks: else a tenant would be rid of it by asking for nothing and then again. */
interface Bar {
  hangs: number;
  isHanging: boolean;
  untilMs: number;
  /** When it is as if it had never been. */
  forgottenMs: number;
}

/** Of a core, for one network. */
const mostShare = 0.02;
/** Between two sweeps of a network because of somebody who loosens. */
const calmMs = 30_000;
/** What fails so often in a row is left to others for a while. */
const mostFailures = 3;
/** After so many hangs in one network, the locks of its sockets are not waited for any more. */
const mostHangs = 2;
const retryMs = 1000;
const barMs = { failing: 600_000, hanging: 3_600_000 };

/**
 * Which network namespaces the kernel has to sweep for what was open before: each once for all of its places, when something
 * new is ordered in it or a connection was loosened. One in which sweeps hang or fail is barred, and its places are
 * left to descriptors.
 */
export class OwedSweeps {
  readonly #entries = new Map<bigint, Entry>();
  #cookies: ReadonlyMap<Place, bigint> = new Map();
  readonly #bars = new Map<bigint, Bar>();
  #orders = 0;

  /** From now on these, as the kernel was told. */
  follow(served: readonly ServedTarget[], nowMs: number): void {
    this.#cookies = new Map(served.map(({ target, network }) => [target.place, network.cookie]));
    for (const [cookie, bar] of this.#bars)
      if (!bar.isHanging && nowMs > bar.forgottenMs) this.#bars.delete(cookie);
    const byCookie = Map.groupBy(served, ({ network }) => network.cookie);
    for (const cookie of this.#entries.keys()) if (!byCookie.has(cookie)) this.#entries.delete(cookie);
    for (const [cookie, ofNetwork] of byCookie) this.#followOne(cookie, ofNetwork);
  }

  /** Somebody undid what a connection was given. */
  loosened(place: Place): void {
    const entry = this.#entryOf(place);
    if (entry !== undefined) entry.isLoosened = true;
  }

  /** Those whose turn it is. */
  begin(nowMs: number): Network[] {
    const due = [...this.#entries.values()].filter((entry) => this.#dueMsOf(entry) <= nowMs);
    for (const entry of due) {
      entry.underWay = entry.places;
      if (entry.isLoosened) entry.loosenedNotBeforeMs = nowMs + calmMs;
      entry.isLoosened = false;
    }
    return due.map(({ network }) => network);
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
    entry.notBeforeMs = nowMs + cpuMs / mostShare;
  }

  failed(cookie: bigint, nowMs: number): void {
    const entry = this.#entries.get(cookie);
    if (entry === undefined) return;
    entry.underWay = undefined;
    entry.failures += 1;
    entry.notBeforeMs = nowMs + retryMs * 2 ** entry.failures;
    if (entry.failures < mostFailures) return;
    entry.failures = 0;
    const bar = this.#barOf(cookie);
    bar.untilMs = nowMs + barMs.failing;
    bar.forgottenMs = bar.untilMs;
  }

  /** Until {@link released}, nobody waits for the locks of its sockets. */
  hung(cookie: bigint): void {
    const bar = this.#barOf(cookie);
    bar.hangs += 1;
    bar.isHanging = true;
  }

  /** What hung there has come back. */
  released(cookie: bigint, nowMs: number): void {
    const bar = this.#barOf(cookie);
    bar.isHanging = false;
    bar.forgottenMs = nowMs + barMs.hanging;
    if (bar.hangs >= mostHangs) bar.untilMs = nowMs + barMs.hanging;
  }

  isBarred(cookie: bigint, nowMs: number): boolean {
    const bar = this.#bars.get(cookie);
    return bar !== undefined && (bar.isHanging || nowMs < bar.untilMs);
  }

  /** When the next bar is lifted by itself; undefined where none is. */
  nextLiftMs(nowMs: number): number | undefined {
    const times = [...this.#bars.values()].map(({ untilMs }) => untilMs).filter((ms) => ms > nowMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Whether the kernel has met each connection that was open there when the place came to be served. */
  isSwept(place: Place): boolean {
    return this.#entryOf(place)?.swept.has(place) === true;
  }

  /** Undefined where nothing is owed. */
  nextDueMs(): number | undefined {
    const dueMs = Math.min(...[...this.#entries.values()].map((entry) => this.#dueMsOf(entry)));
    return Number.isFinite(dueMs) ? dueMs : undefined;
  }

  #followOne(cookie: bigint, served: readonly ServedTarget[]): void {
    const [first] = served;
    if (first === undefined) return;
    const entry = this.#entries.get(cookie) ?? newEntry(first.network);
    entry.network = first.network;
    const before = entry.places;
    const order = ({ place, wanted }: SocketTarget) => this.#ordered(wanted, before.get(place));
    entry.places = new Map(served.map(({ target }) => [target.place, order(target)]));
    for (const place of entry.swept.keys()) if (!entry.places.has(place)) entry.swept.delete(place);
    this.#entries.set(cookie, entry);
  }

  #ordered(wanted: SocketTarget['wanted'], before: Order | undefined): Order {
    if (before !== undefined && isDeepStrictEqual(wanted, before.wanted)) return before;
    return { wanted, number: (this.#orders += 1) };
  }

  #dueMsOf(entry: Entry): number {
    const bar = this.#bars.get(entry.network.cookie);
    if (entry.underWay !== undefined || bar?.isHanging === true) return Infinity;
    const sinceMs = isOwed(entry) ? -Infinity : entry.isLoosened ? entry.loosenedNotBeforeMs : Infinity;
    return Math.max(sinceMs, entry.notBeforeMs, bar?.untilMs ?? -Infinity);
  }

  #entryOf(place: Place): Entry | undefined {
    const cookie = this.#cookies.get(place);
    return cookie === undefined ? undefined : this.#entries.get(cookie);
  }

  #barOf(cookie: bigint): Bar {
    const bar = this.#bars.get(cookie) ?? {
      hangs: 0,
      isHanging: false,
      ...{ untilMs: -Infinity, forgottenMs: Infinity },
    };
    this.#bars.set(cookie, bar);
    return bar;
  }
}

function newEntry(network: Network): Entry {
  const none = { places: new Map(), underWay: undefined, isLoosened: false, failures: 0 };
  return { network, swept: new Map(), ...none, notBeforeMs: -Infinity, loosenedNotBeforeMs: -Infinity };
}

/** Where nothing is wanted any more, there is nothing to give. */
function isOwed({ places, swept }: Entry): boolean {
  return [...places].some(
    ([place, { wanted, number }]) =>
      !swept.has(place) || (wanted !== undefined && swept.get(place) !== number),
  );
}
