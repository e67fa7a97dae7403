/** Keys that wait, each once: owners take turns, and the keys of each go in the order of arrival. */
export class Turns {
  readonly #ownerOf: (key: string) => string;
  /** In the order of their turns; holds no owner of nothing. */
  readonly #waiting = new Map<string, Set<string>>();
  #size = 0;

  constructor(ownerOf: (key: string) => string = () => '') {
    this.#ownerOf = ownerOf;
  }

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return this.#waiting.get(this.#ownerOf(key))?.has(key) === true;
  }

  add(key: string): void {
    if (this.has(key)) return;
    const owner = this.#ownerOf(key);
    const keys = this.#waiting.get(owner);
    if (keys === undefined) this.#waiting.set(owner, new Set([key]));
    else keys.add(key);
    this.#size += 1;
  }

  /** Takes the first key of the owner whose turn it is, who is the last to have another. */
  next(): string | undefined {
    for (const [owner, keys] of this.#waiting) {
      const [key] = keys;
      this.#waiting.delete(owner);
      if (key === undefined) continue;
      keys.delete(key);
      if (keys.size > 0) this.#waiting.set(owner, keys);
      this.#size -= 1;
      return key;
    }
    return undefined;
  }

  delete(key: string): void {
    const owner = this.#ownerOf(key);
    const keys = this.#waiting.get(owner);
    if (keys?.delete(key) !== true) return;
    if (keys.size === 0) this.#waiting.delete(owner);
    this.#size -= 1;
  }

  /** How many come before it; undefined where it does not wait. */
  ahead(key: string): number | undefined {
    const owner = this.#ownerOf(key);
    const rounds = [...(this.#waiting.get(owner) ?? [])].indexOf(key);
    if (rounds < 0) return undefined;
    let ahead = rounds;
    let isEarlier = 1;
    for (const [other, { size }] of this.#waiting) {
      if (other === owner) isEarlier = 0;
      else ahead += Math.min(size, rounds + isEarlier);
    }
    return ahead;
  }

  clear(): void {
    this.#waiting.clear();
    this.#size = 0;
  }
}
