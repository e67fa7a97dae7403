import type { Clock } from '../../../src/kube/clock.ts';

/** A number that binary fractions hold exactly. */
const readingMs = 1 / 1024;

/** Time that stands still until a test moves it, but for the moment that each reading takes: no rest is a whole number. */
export class HandClock implements Clock {
  #now = 0;
  #timers: { at: number; action: () => void }[] = [];
  #waiting: (() => void)[] = [];

  now(): number {
    this.#now += readingMs;
    return this.#now;
  }

  /** Whole milliseconds since the start, for a test to compare. */
  get passedMs(): number {
    return Math.floor(this.#now);
  }

  schedule(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + delayMs, action };
    this.#timers.push(timer);
    for (const resolve of this.#waiting.splice(0)) resolve();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How long until each timer, soonest first. */
  get pending(): number[] {
    return this.#timers.map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Resolves when a timer of at most `withinMs` is set: the code under test sleeps. */
  async asleep(withinMs: number): Promise<void> {
    while (!(this.pending[0] !== undefined && this.pending[0] <= withinMs)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#due(until); next; next = this.#due(until)) {
      this.#now = Math.max(this.#now, next.at);
      this.#timers = this.#timers.filter((other) => other !== next);
      next.action();
    }
    // What was done meanwhile may have taken longer.
    this.#now = Math.max(this.#now, until);
  }

  #due(until: number): { at: number; action: () => void } | undefined {
    return this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  }
}
