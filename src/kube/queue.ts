import { setImmediate } from 'node:timers/promises';

import { backOffMs, type BackOffLimits } from './backoff.ts';
import { systemClock, type Clock } from './clock.ts';
import { retryAfterMs } from './errors.ts';
import type { Log } from './log.ts';
import { Turns } from './turns.ts';

/** What a worker asks for after success: nothing more, or the same key again after a while. */
export type Next = { readonly afterMs: number } | undefined;

export interface QueueOptions {
  /** Handles one key, on its own reading of the world. To throw means: again, after the key's back-off. */
  readonly work: (key: string) => Promise<Next>;
  readonly concurrency: number;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly backOff?: BackOffLimits;
  /** Whose key it is: owners take turns, however many keys one of them has waiting. One for all unless told otherwise. */
  readonly ownerOf?: (key: string) => string;
}

/** What is known of a key whose work failed last. */
interface Failure {
  readonly count: number;
  /** When its back-off is over. */
  readonly againAt: number;
  /** Until then the server wants to hear nothing of it; the past where it did not say so. */
  readonly turnedAwayUntil: number;
}

const defaultBackOff: BackOffLimits = { minMs: 50, maxMs: 300_000 };

/**
 * Keys waiting for work. A key waits at most once and has at most one worker; added while its worker runs, it
 * waits again after, since that worker may have read the world before the change.
 */
export class WorkQueue {
  readonly #options: QueueOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backOff: BackOffLimits;
  /** Holds no key that is in `#running`. */
  readonly #ready: Turns;
  readonly #running = new Set<string>();
  /** Running keys that were added again, and how. */
  readonly #again = new Map<string, 'add' | 'addAfter'>();
  readonly #later = new Map<string, { at: number; cancel: () => void }>();
  readonly #failures = new Map<string, Failure>();
  readonly #idle: (() => void)[] = [];
  #started = false;
  #stopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#backOff = options.backOff ?? defaultBackOff;
    this.#ready = new Turns(options.ownerOf);
  }

  /** Keys that wait for a worker; not those that wait for their time. */
  get depth(): number {
    return this.#ready.size + this.#again.size;
  }

  /** Keys may be added before: they wait. */
  start(): void {
    this.#started = true;
    this.#dispatch();
  }

  /** As soon as a worker is free, whatever time was set before: the key itself is another. Only what the server asked to wait is waited. */
  add(key: string): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    const until = this.#failures.get(key)?.turnedAwayUntil ?? -Infinity;
    if (until > now) this.#plan(key, until, now);
    else this.#addNow(key, 'add');
  }

  /** After `delayMs`, or when an earlier call said so; not before a back-off is over. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    const at = Math.max(now + delayMs, this.#failures.get(key)?.againAt ?? -Infinity);
    if (at > now) this.#plan(key, at, now);
    else this.#addNow(key, 'addAfter');
  }

  #addNow(key: string, how: 'add' | 'addAfter'): void {
    this.#cancelLater(key);
    if (!this.#running.has(key)) this.#ready.add(key);
    else if (this.#again.get(key) !== 'add') this.#again.set(key, how);
    this.#dispatch();
  }

  #plan(key: string, at: number, now: number): void {
    const planned = this.#later.get(key);
    if (this.#ready.has(key) || this.#again.has(key) || (planned && planned.at <= at)) return;
    planned?.cancel();
    const cancel = this.#clock.schedule(at - now, () => this.#addNow(key, 'addAfter'));
    this.#later.set(key, { at, cancel });
  }

  /** Starts nothing more; resolves when what runs has finished. */
  stop(): Promise<void> {
    this.#stopped = true;
    for (const { cancel } of this.#later.values()) cancel();
    for (const keys of [this.#ready, this.#again, this.#later]) keys.clear();
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #dispatch(): void {
    if (!this.#started) return;
    while (this.#running.size < this.#options.concurrency) {
      const key = this.#ready.next();
      if (key === undefined) return;
      this.#running.add(key);
      void this.#process(key);
    }
  }

  async #process(key: string): Promise<void> {
    try {
      const next = await this.#options.work(key);
      this.#failures.delete(key);
      if (next) this.addAfter(key, next.afterMs);
    } catch (error) {
      this.#retry(key, error);
    }
    // Work that finds nothing to do ends without a turn of the event loop: many such would starve timers and sockets.
    await setImmediate();
    this.#running.delete(key);
    this.#takeUpAgain(key);
    this.#dispatch();
    if (this.#stopped && this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** What was added while it ran: it may have failed since. */
  #takeUpAgain(key: string): void {
    const how = this.#again.get(key);
    this.#again.delete(key);
    if (how === 'add') this.add(key);
    else if (how === 'addAfter') this.addAfter(key, 0);
  }

  #retry(key: string, error: unknown): void {
    if (this.#stopped) return;
    const failures = this.#failures.get(key)?.count ?? 0;
    const askedMs = retryAfterMs(error);
    const delayMs = Math.max(backOffMs(failures, this.#backOff, this.#random), askedMs);
    const now = this.#clock.now();
    const turnedAwayUntil = askedMs > 0 ? now + askedMs : -Infinity;
    this.#failures.set(key, { count: failures + 1, againAt: now + delayMs, turnedAwayUntil });
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.warn({ key, failures: failures + 1, delayMs, reason }, 'work failed, will try again');
    // What was planned while it ran may be too early.
    this.#cancelLater(key);
    this.addAfter(key, delayMs);
  }

  #cancelLater(key: string): void {
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }
}
