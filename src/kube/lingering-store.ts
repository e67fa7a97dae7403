import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { Identified, Replacement } from './store.ts';
import { Store } from './store.ts';

/**
 * What is gone is held for a while as if it were still there, and then goes, unless it came again: it may be on its way out with
 * whoever reads it.
 */
export class LingeringStore<T extends Identified> extends Store<T> {
  readonly #lingerMs: number;
  readonly #clock: Clock;
  /** Keys of what is gone; each with what calls its timer off. */
  readonly #gone = new Map<string, () => void>();
  /** Told of each that is held no more, and what was held. */
  onLeft: (key: string, before: T | undefined) => void = () => undefined;

  constructor(lingerMs: number, clock: Clock = systemClock) {
    super();
    this.#lingerMs = lingerMs;
    this.#clock = clock;
  }

  override set(key: string, value: T): boolean {
    this.#stay(key);
    return super.set(key, value);
  }

  /** Never a change: that comes later. */
  override delete(key: string): boolean {
    if (this.get(key) !== undefined && !this.#gone.has(key))
      this.#gone.set(
        key,
        this.#clock.schedule(this.#lingerMs, () => this.#leave(key)),
      );
    return false;
  }

  override replacement(): Replacement<T> {
    const next = super.replacement();
    const there = new Set<string>();
    return {
      set: (key, value) => {
        there.add(key);
        next.set(key, value);
      },
      delete: (key) => {
        there.delete(key);
        next.delete(key);
      },
      commit: () => {
        for (const key of there) this.#stay(key);
        for (const key of this.keys()) {
          const held = this.get(key);
          if (there.has(key) || held === undefined) continue;
          next.set(key, held);
          this.delete(key);
        }
        return next.commit();
      },
    };
  }

  /** What is gone stays for good: nobody waits any more. */
  close(): void {
    for (const key of [...this.#gone.keys()]) this.#stay(key);
  }

  #stay(key: string): void {
    this.#gone.get(key)?.();
    this.#gone.delete(key);
  }

  #leave(key: string): void {
    const before = this.get(key);
    this.#gone.delete(key);
    super.delete(key);
    this.onLeft(key, before);
  }
}
