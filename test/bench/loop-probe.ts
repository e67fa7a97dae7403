import { setImmediate as nextTurn } from 'node:timers/promises';

/** Of this thread: what else runs on the machine has no part in it. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * How long the event loop of this thread was not free: the time of the thread between each of its turns and the next, whoever used it,
 * collections of garbage included.
 */
export class LoopProbe {
  #longestMs = 0;
  #last = 0;
  #isApart = true;

  /** From the next turn on; as long as anything else keeps the loop turning. */
  start(): void {
    const turned = () => {
      const now = cpuMs();
      if (!this.#isApart) this.#longestMs = Math.max(this.#longestMs, now - this.#last);
      this.#isApart = false;
      this.#last = cpuMs();
      setImmediate(turned).unref();
    };
    setImmediate(turned);
  }

  /** Begins anew with each answer. */
  takeLongestMs(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  /** What only the bench itself does: in a turn of its own, which does not count. */
  async apart<T>(work: () => T): Promise<T> {
    await nextTurn();
    this.#isApart = true;
    const result = work();
    await nextTurn();
    return result;
  }
}
