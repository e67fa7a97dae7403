import { backOffMs, type BackOffLimits } from './backoff.ts';
import type { Clock } from './clock.ts';

/** The first pause is 1 to 2 s, the longest 15 to 30 s, however many list at once: docs/adr/0003-our-own-reflector-and-service-account.md. */
const defaultBackOff: BackOffLimits = { minMs: 2_000, maxMs: 30_000 };
/**
 * While a server that was there is likely to be coming back: what is not heard meanwhile is what a status gets wrong. A refused
 * connection costs next to nothing, and a server that is too busy says so by Retry-After. Twenty tries are half a minute.
 */
const returnBackOff: BackOffLimits = { minMs: 200, maxMs: 2_000 };
const returnTries = 20;

/**
 * The pauses of one watch after its failures. One that only goes on is asked for sooner than a list, which is dear to the server. Each
 * has a count of its own: a server that came back after hours and has forgotten our position is there, and is asked for a list soon.
 */
export class Pauses {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #limits: BackOffLimits;
  #failures = { list: 0, resume: 0 };
  #passedAt = 0;

  constructor(clock: Clock, random: () => number, limits: BackOffLimits = defaultBackOff) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
  }

  /** In milliseconds, before what is asked for next. */
  next(asked: 'list' | 'resume'): number {
    // Minutes of health, not a single good request, end a bad phase: a list may succeed before each failure.
    if (this.#clock.now() - this.#passedAt > 4 * this.#limits.maxMs) this.#failures = { list: 0, resume: 0 };
    const tries = this.#failures[asked]++;
    if (asked === 'list') return backOffMs(tries, this.#limits, this.#random);
    return tries < returnTries
      ? backOffMs(tries, returnBackOff, this.#random)
      : backOffMs(tries - returnTries, this.#limits, this.#random);
  }

  /** The pause is over, and what was asked for may last. */
  passed(): void {
    this.#passedAt = this.#clock.now();
  }
}
