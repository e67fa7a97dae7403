/** How many bytes one takes at its turn. `none`: it wants no more. `full`: nobody can have any more. */
export type Turn<T> = (one: T) => number | 'none' | 'full';

/**
 * Who shares in something scarce, in groups of groups: at each turn goes whoever has had least so far, among the groups
 * first and then inside. So what one group piles up is taken from its own, and only what nobody else wants is
 * given to it.
 */
export class Share<T> {
  /** What it has had, and all that share in it. */
  bytes = 0;
  readonly #one: T | undefined;
  /** Those that may want more. */
  readonly #open: Share<T>[];

  private constructor(one: T | undefined, parts: readonly Share<T>[]) {
    this.#one = one;
    this.#open = [...parts];
  }

  static ofOne<T>(one: T): Share<T> {
    return new Share(one, []);
  }

  /** Of those that have had the same, the first goes first. */
  static ofMany<T>(parts: readonly Share<T>[]): Share<T> {
    return new Share<T>(undefined, parts);
  }

  /** Until nobody wants more. */
  distribute(turn: Turn<T>): void {
    while (typeof this.#next(turn) === 'number');
  }

  #next(turn: Turn<T>): ReturnType<Turn<T>> {
    const had = this.#one === undefined ? this.#nextOfParts(turn) : turn(this.#one);
    if (typeof had === 'number') this.bytes += had;
    return had;
  }

  #nextOfParts(turn: Turn<T>): ReturnType<Turn<T>> {
    for (;;) {
      const least = this.#least();
      if (least === undefined) return 'none';
      const had = least.#next(turn);
      if (had !== 'none') return had;
      this.#open.splice(this.#open.indexOf(least), 1);
    }
  }

  #least(): Share<T> | undefined {
    let least = this.#open[0];
    for (const part of this.#open) if (least !== undefined && part.bytes < least.bytes) least = part;
    return least;
  }
}
