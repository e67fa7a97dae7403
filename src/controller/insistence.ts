import type { Clock } from '../kube/clock.ts';
import { pauseAfter } from '../policy/doubling-pause.ts';

/** The first time that it is undone it is written again at once: somebody may have done so by hand. */
const pauses = { firstMs: 1_000, longestMs: 300_000 };

/**
 * How soon the same is written again where somebody else writes over it. A program that keeps it otherwise answers each write by one of
 * its own, as fast as watches are: neither is read by then, and API servers read the configuration anew each time.
 */
export class Insistence {
  readonly #clock: Clock;
  #written:
    { readonly what: string; readonly over: object; readonly times: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long to wait until it is written; 0: not at all. What was not written last is no insisting. */
  waitMs(what: string): number {
    const last = this.#lastOf(what);
    if (last === undefined || last.times === 1) return 0;
    return Math.max(0, last.at + pauseAfter(last.times - 1, pauses) - this.#clock.now());
  }

  /** It was written `over` what was there; how often in a row by now. What is there by all that was heard is no other's work. */
  wrote(what: string, over: object): number {
    const last = this.#lastOf(what);
    const before = last === undefined ? 0 : last.over === over ? last.times - 1 : last.times;
    this.#written = { what, over, times: before + 1, at: this.#clock.now() };
    return before + 1;
  }

  /** What stood for longer than any pause is left alone by others. */
  #lastOf(what: string) {
    const last = this.#written;
    if (last?.what !== what || this.#clock.now() - last.at > 2 * pauses.longestMs) return undefined;
    return last;
  }
}
