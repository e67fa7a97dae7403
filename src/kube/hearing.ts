import type { Clock } from './clock.ts';

/** Where bookmarks come, one comes about each minute. */
const patienceMs = 180_000;
/** A server that is often silent for longer is listed so often at most. */
const longestPatienceMs = 16 * patienceMs;

/**
 * What is heard of one kind, and whether its watches are silent for longer than they should be. An API server takes a
 * watch from a position that it has not reached, and sends neither events nor bookmarks before it has
 * (kubernetes/kubernetes#107457): after a restore of etcd nothing else would tell that what is held is wrong.
 *
 * Silence is a sign only where bookmarks came once: there are none of kinds that the server does not cache, like events. And
 * where etcd moves the position of a quiet kind every ten minutes only, which is what it does unless it is told otherwise
 * (--watch-progress-notify-interval), it is none at all: so each time that it was taken for one, it has to last twice as long.
 */
export class Hearing {
  readonly #clock: Clock;
  #contactAt: number;
  /** Since the last that was heard of an open watch. */
  #quietSince: number | undefined;
  /** Of watches that have ended, since the last that was heard. */
  #quietMs = 0;
  #hasBookmarks = false;
  #patienceMs = patienceMs;
  #isTooQuiet = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#contactAt = clock.now();
  }

  get secondsSinceContact(): number {
    return (this.#clock.now() - this.#contactAt) / 1000;
  }

  /** Of the watch that is open, undefined where none is: its headers, or what of its body came last. */
  get quietSince(): number | undefined {
    return this.#quietSince;
  }

  /**
   * The server has taken a watch. Where it goes on from a position, that is all that a quiet kind may have to say; of a list it says
   * nothing yet, and a gateway without its server may say as much.
   */
  opened({ goesOn }: { readonly goesOn: boolean }): void {
    this.#quietSince = this.#clock.now();
    if (goesOn) this.#contactAt = this.#quietSince;
  }

  /** Of the body of a watch, or a page. */
  heard(): void {
    const now = this.#clock.now();
    this.#listen(now);
    this.#quietMs = 0;
    this.#contactAt = now;
    if (this.#quietSince !== undefined) this.#quietSince = now;
  }

  /** A bookmark that is no end of a list. */
  bookmarked(): void {
    this.#hasBookmarks = true;
  }

  /**
   * The server has ended the watch as it should, so it was there. What broke may have been cut off for as long as it was silent, like
   * everybody else's, and all would ask for lists at once.
   */
  ended(): void {
    this.#listen(this.#clock.now());
    this.#quietSince = undefined;
  }

  /** No watch is open, whatever has become of it. */
  closed(): void {
    this.#quietSince = undefined;
  }

  /** Whether only a list can tell what is there; says so once. */
  takeDoubt(): boolean {
    if (!this.#isTooQuiet) return false;
    this.#isTooQuiet = false;
    this.#quietMs = 0;
    this.#patienceMs = Math.min(2 * this.#patienceMs, longestPatienceMs);
    return true;
  }

  #listen(now: number): void {
    if (this.#quietSince !== undefined) this.#quietMs += now - this.#quietSince;
    if (this.#hasBookmarks && this.#quietMs > this.#patienceMs) this.#isTooQuiet = true;
  }
}
