import type { Clock } from './clock.ts';

/** Answers that differ by less are of one clock: each tells whole seconds, and is read a while after it was given. */
const sameClockMs = 5_000;

/**
 * What time the API server has, which judges by it what is valid and stamps by it what is made: the clock of the machine that
 * this runs on may be ahead by hours. Each answer tells it; the own one where none did, since something between took that away.
 */
export class ServerTime {
  readonly #clock: Clock;
  /** Of the API server's time before that of the clock, which never steps. */
  #aheadMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of answers of one clock the one that says the latest counts: it is at least that late. Another clock, or one that was put right, holds at once. */
  heard(dateMs: number): void {
    if (Number.isNaN(dateMs)) return;
    const aheadMs = dateMs - this.#clock.now();
    const behindMs = (this.#aheadMs ?? -Infinity) - aheadMs;
    if (behindMs < 0 || behindMs > sameClockMs) this.#aheadMs = aheadMs;
  }

  now(): Date {
    return this.#aheadMs === undefined ? new Date() : new Date(this.#aheadMs + this.#clock.now());
  }
}
