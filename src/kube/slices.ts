import { setImmediate } from 'node:timers/promises';

/** So long at a time. */
const sliceMs = 5;

/** For work of many small steps, of which nobody knows how many there are: others have their turn in between. What it waits for does not count. */
export class Slices {
  #spentMs = 0;
  #since = performance.now();

  /** After a wait. */
  resume(): void {
    this.#since = performance.now();
  }

  /** After each step; undefined where the next may follow at once. */
  rest(): Promise<void> | undefined {
    const now = performance.now();
    this.#spentMs += now - this.#since;
    this.#since = now;
    if (this.#spentMs < sliceMs) return undefined;
    this.#spentMs = 0;
    return setImmediate().then(() => {
      this.resume();
    });
  }
}
