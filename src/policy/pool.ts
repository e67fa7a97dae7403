/** What an entry costs beside its key, in characters. */
const entryCharacters = 64;

/**
 * Values that come again and again, each kept once. Of what is gone nobody tells, so the least asked for are let go: all that was not
 * asked for since so many characters of others were. A count would be no bound: one set of labels is as long as hundreds.
 */
export class Pool<T> {
  readonly #most: number;
  #left: number;
  #recent = new Map<string, T>();
  #before = new Map<string, T>();

  /** Of keys; it holds twice as many at most. */
  constructor(mostCharacters: number) {
    this.#most = mostCharacters;
    this.#left = mostCharacters;
  }

  /** The first of those with the same key, as far as it is known still: what was handed out before stays good. */
  get(key: string, value: T): T {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const held = this.#before.get(key) ?? value;
    const cost = key.length + entryCharacters;
    if (cost > this.#left) this.#turn();
    this.#left -= cost;
    this.#recent.set(key, held);
    return held;
  }

  #turn(): void {
    this.#before = this.#recent;
    this.#recent = new Map();
    this.#left = this.#most;
  }
}
