import { askedApartMs, type BackOffLimits } from './backoff.ts';
import type { ApiClient, Query } from './client.ts';
import { sleep, systemClock, type Clock } from './clock.ts';
import * as errors from './errors.ts';
import { Hearing } from './hearing.ts';
import { ListManner } from './list-manner.ts';
import { Mirror, NoStreamedList, type MirrorOptions } from './mirror.ts';
import { Pauses } from './pauses.ts';
import { pathOf, type Target } from './resource.ts';
import { Slices } from './slices.ts';
import type { Identified } from './store.ts';
import { LineSplitter, parseEvent, wholeOrApiError } from './stream.ts';

export interface ReflectorOptions<T extends Identified> extends MirrorOptions<T> {
  readonly client: ApiClient;
  /** A kind, in all namespaces or in one. */
  readonly target: Target;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly doubt?: Doubt | undefined;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly backOff?: BackOffLimits;
}

/**
 * Of a kind whose schema may grow. When it does, the server ends all watches of the kind before their time, and for a
 * second before that it may have told of objects without the fields that are new (apiextensions-apiserver 1.37,
 * customresource_handler.go: the old storage is torn down after it was replaced). A watch from there tells of no object
 * that has not changed since, so a list follows, so many seconds later at random: watches end early for other reasons
 * too, and of all clients at once.
 */
export interface Doubt {
  readonly minSeconds: number;
  readonly maxSeconds: number;
}

/** The server makes a page whole, and any object may have 1.5 MiB. Only servers that do not stream lists are asked for pages. */
const pageLimit = 50;
/** A list as a stream that says nothing for so long comes from a server that does not know it. */
const silenceMs = 30_000;
/** The server ends a watch at its own time; one that lives on after it has lost its server. */
const graceMs = 10_000;
/** A watch that ends sooner and brought nothing is a refusal in disguise. */
const shortestWatchMs = 1_000;
/** A watch that the server ends at its own time ends this much before that at most, by our clock. */
const earlyMs = 1_000;

/**
 * Keeps a store equal to what the API server holds, for as long as the process lives: list, then watch from
 * there, and start again from the last good position whatever happens. Lists are streamed where the server
 * can (sendInitialEvents, so that neither side builds the whole list), read page by page elsewhere.
 */
export class Reflector<T extends Identified> {
  readonly #options: ReflectorOptions<T>;
  readonly #mirror: Mirror<T>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #pauses: Pauses;
  readonly #path: string;
  readonly #hearing: Hearing;
  readonly #manner = new ListManner();
  #lastFailure: string | undefined;
  /** Since when, and by what the last time. */
  #interruption: { readonly atMs: number; readonly by: unknown } | undefined;
  /** Until a list then, some object may lack what is new. */
  #doubtedUntil: number | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#mirror = new Mirror(options);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#pauses = new Pauses(this.#clock, this.#random, options.backOff);
    this.#path = `WATCH ${pathOf(options.target)}`;
    this.#hearing = new Hearing(this.#clock);
  }

  /** Resolves when the store first holds the whole world. */
  get whenSynced(): Promise<void> {
    return this.#mirror.whenSynced;
  }

  /** Since the server last sent anything of what is there, or took a watch that goes on, or since the start. A quiet watch hears a bookmark about each minute. */
  get secondsSinceContact(): number {
    return this.#hearing.secondsSinceContact;
  }

  /** How long the store has fallen behind the server for certain; 0 while it follows. */
  get secondsInterrupted(): number {
    return this.#interruption === undefined ? 0 : (this.#clock.now() - this.#interruption.atMs) / 1000;
  }

  /** What it failed by the last time; undefined while it follows. */
  get interruptedBy(): unknown {
    return this.#interruption?.by;
  }

  /** Ends only when `signal` aborts, at once and without a further request. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#takeDoubt()) this.#mirror.forgetVersion();
        // What is doubted from here on is newer than the list.
        if (this.#mirror.version === undefined) this.#doubtedUntil = undefined;
        if (this.#mirror.version === undefined && !this.#manner.isStreamed) await this.#list(signal);
        await this.#watch(signal);
        this.#sound();
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, signal);
      }
    }
  }

  /** Whether what is held may be wrong, though nothing failed. */
  #takeDoubt(): boolean {
    const isTooQuiet = this.#hearing.takeDoubt();
    if (isTooQuiet) this.#options.log.info({ path: this.#path }, 'silent for too long: listing anew');
    return isTooQuiet || this.#clock.now() >= (this.#doubtedUntil ?? Infinity);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, target, labelSelector, fieldSelector } = this.#options;
    this.#mirror.begin();
    let version: string | undefined;
    let token: string | undefined;
    do {
      // No resourceVersion: the first page is the present, and the token carries its version to the others.
      const query = { limit: pageLimit, continue: token, labelSelector, fieldSelector };
      const page = await client.eachOfPage(target, query, (item) => this.#mirror.stage(item), { signal });
      this.#hearing.heard();
      version ??= page.resourceVersion;
      token = page.continue || undefined;
    } while (token !== undefined);
    await this.#mirror.commit(version);
    this.#manner.paged();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const version = this.#mirror.version;
    const startedAt = this.#clock.now();
    const seconds = this.#secondsOfWatch(startedAt);
    const life = new AbortController();
    const timers = [this.#guardDeadline(seconds, life)];
    if (version === undefined) {
      this.#mirror.begin();
      timers.push(this.#guardSilence(life));
    }
    try {
      const stop = AbortSignal.any([signal, life.signal]);
      const query = this.#query(version, seconds);
      const body = await this.#options.client.watch(this.#options.target, query, { signal: stop });
      this.#hearing.opened({ goesOn: version !== undefined });
      await this.#read(body, stop);
      this.#hearing.ended();
    } catch (error) {
      throw life.signal.aborted ? life.signal.reason : error;
    } finally {
      for (const cancel of timers) cancel();
      this.#hearing.closed();
    }
    if (this.#mirror.listing) throw new NoStreamedList('the stream ended before the list was whole', false);
    const lastedMs = this.#clock.now() - startedAt;
    if (lastedMs < seconds * 1000 - earlyMs) this.#doubt();
    if (lastedMs < shortestWatchMs && this.#mirror.version === version) {
      throw this.#broken('EmptyWatch', 'the server ended the watch at once');
    }
  }

  #secondsOfWatch(now: number): number {
    const seconds = Math.round(300 + this.#random() * 300);
    if (this.#doubtedUntil === undefined) return seconds;
    return Math.max(1, Math.ceil((this.#doubtedUntil - now) / 1000));
  }

  #doubt(): void {
    const { doubt } = this.#options;
    if (doubt === undefined) return;
    const seconds = doubt.minSeconds + this.#random() * (doubt.maxSeconds - doubt.minSeconds);
    this.#doubtedUntil ??= this.#clock.now() + seconds * 1000;
  }

  #query(version: string | undefined, timeoutSeconds: number): Query {
    const { labelSelector, fieldSelector } = this.#options;
    const common = { allowWatchBookmarks: true, timeoutSeconds, labelSelector, fieldSelector };
    return version === undefined
      ? { ...common, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
      : { ...common, resourceVersion: version };
  }

  async #read(body: AsyncIterable<Uint8Array>, stop: AbortSignal): Promise<void> {
    this.#follows();
    const splitter = new LineSplitter();
    const slices = new Slices();
    for await (const chunk of wholeOrApiError(body, this.#path)) {
      slices.resume();
      this.#hearing.heard();
      for (const line of splitter.push(chunk)) {
        if (stop.aborted) return;
        const event = parseEvent(line, this.#path);
        await this.#mirror.accept(event);
        this.#follows();
        if (event.type === 'BOOKMARK') this.#bookmarked(event.initialEventsEnd);
        // What piled up while something else took its time is all there at once.
        await slices.rest();
      }
    }
  }

  #bookmarked(endsList: boolean): void {
    if (endsList) this.#manner.streamed();
    else this.#hearing.bookmarked();
    this.#sound();
  }

  /** A list that is still coming is not the present yet. */
  #follows(): void {
    if (!this.#mirror.listing) this.#interruption = undefined;
  }

  #guardDeadline(seconds: number, life: AbortController): () => void {
    return this.#clock.schedule(seconds * 1000 + graceMs, () => {
      life.abort(this.#broken('Deadline', 'the watch outlived its timeoutSeconds'));
    });
  }

  /** Ends the watch when nothing is heard while the list is not whole. */
  #guardSilence(life: AbortController): () => void {
    const startedAt = this.#clock.now();
    const check = () => {
      if (!this.#mirror.listing) return;
      const leftMs = (this.#hearing.quietSince ?? startedAt) + silenceMs - this.#clock.now();
      if (leftMs <= 0) life.abort(new NoStreamedList('the list does not come as a stream', false));
      else cancel = this.#clock.schedule(leftMs, check);
    };
    let cancel = this.#clock.schedule(silenceMs, check);
    return () => cancel();
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    if (this.#mirror.version === undefined && this.#manner.isStreamed && this.#turnsToPages(error)) return;
    this.#interruption = { atMs: this.#interruption?.atMs ?? this.#clock.now(), by: error };
    if (!mayResume(error)) this.#mirror.forgetVersion();
    const pauseMs = this.#pauses.next(this.#mirror.version === undefined ? 'list' : 'resume');
    const delayMs = Math.max(pauseMs, askedApartMs(errors.retryAfterMs(error), this.#random));
    this.#report(error, delayMs);
    await sleep(this.#clock, delayMs, signal);
    this.#pauses.passed();
  }

  /** Whether pages are asked for now. */
  #turnsToPages(error: unknown): boolean {
    const now = this.#manner.failed(error);
    if (!this.#manner.isStreamed)
      this.#options.log.debug({ path: this.#path, reason: messageOf(error) }, 'listing by pages');
    return now;
  }

  /** One line for each new trouble: thousands of agents that retry must not fill the logs of an outage. */
  #report(error: unknown, delayMs: number): void {
    const reason = messageOf(error);
    const level = reason === this.#lastFailure ? 'debug' : errors.isGone(error) ? 'info' : 'warn';
    this.#lastFailure = reason;
    const relist = this.#mirror.version === undefined;
    this.#options.log[level]({ path: this.#path, reason, relist, delayMs }, 'watch interrupted');
  }

  /** The watch proved good: a bookmark came, or it ended as it should. */
  #sound(): void {
    if (this.#lastFailure === undefined) return;
    this.#lastFailure = undefined;
    this.#options.log.info({ path: this.#path }, 'watch is sound again');
  }

  #broken(reason: string, detail: string): errors.ApiError {
    return new errors.ApiError({ status: 0, reason, path: this.#path, detail });
  }
}

/** Whether the position is still good after this error; if in doubt it is not, since a list is always right. */
function mayResume(error: unknown): boolean {
  if (errors.isGone(error) || errors.isFromTheFuture(error)) return false;
  return errors.isUnavailable(error) || errors.isUnauthorized(error) || errors.isForbidden(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
