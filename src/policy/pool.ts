/** More different ones are begun anew: what was handed out before stays good. */
const most = 100_000;

/** Values that come again and again, each kept once. */
export class Pool<T> {
  readonly #held = new Map<string, T>();

  /** The first of those with the same key. */
  get(key: string, value: T): T {
    const held = this.#held.get(key);
    if (held !== undefined) return held;
    if (this.#held.size >= most) this.#held.clear();
    this.#held.set(key, value);
    return value;
  }
}
