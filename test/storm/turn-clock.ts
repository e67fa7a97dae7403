import { setImmediate } from 'node:timers/promises';

import type { Clock } from '../../src/kube/clock.ts';
import { systemClock } from '../../src/kube/clock.ts';

/**
 * The clock of thousands of agents in one process: what is due is done one after the other, and what has come over the network is
 * heard in between. Timers alone run as long as any is due, and requests would be given up while their answers wait to be read.
 */
export class TurnClock implements Clock {
  readonly #due: (() => void)[] = [];
  #isTaking = false;
  #longestWaitMs = 0;

  now(): number {
    return systemClock.now();
  }

  schedule(delayMs: number, action: () => void): () => void {
    let isCancelled = false;
    const dueAt = this.now() + Math.max(0, delayMs);
    const cancel = systemClock.schedule(delayMs, () => {
      this.#due.push(() => {
        if (isCancelled) return;
        this.#longestWaitMs = Math.max(this.#longestWaitMs, this.now() - dueAt);
        action();
      });
      if (!this.#isTaking) void this.#takeTurns();
    });
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  /** How late an action came at most, since this was asked last. */
  takeLongestWaitMs(): number {
    const ms = this.#longestWaitMs;
    this.#longestWaitMs = 0;
    return ms;
  }

  async #takeTurns(): Promise<void> {
    this.#isTaking = true;
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
      next();
      await setImmediate();
    }
    this.#isTaking = false;
  }
}
