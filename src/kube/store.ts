import { isDeepStrictEqual } from 'node:util';

/** What every stored object keeps: without the uid, delete and recreate in a gap would pass for no change. */
export interface Identified {
  readonly uid: string;
}

/** The values under which an object is found in one index: none, one or many. */
export type Indexer<T> = (value: T, key: string) => readonly string[];

/** The next content of a store, gathered aside while the present one stays readable. */
export interface Replacement<T> {
  set(key: string, value: T): void;
  delete(key: string): void;
  /**
   * Makes it the content, one key at a step, so that whoever takes the steps may leave time for others in between: what differs,
   * added, changed or no longer there, with what was held before, once the store has it. Undefined where nothing differs.
   */
  commit(): Iterable<Change<T> | undefined>;
}

export type Change<T> = readonly [key: string, before: T | undefined];

export interface StoreOptions {
  /**
   * Nobody reads it before the first list is whole: what comes is held at once, so that there is no moment in which all of
   * it is taken over.
   */
  readonly fillsInPlace?: boolean;
}

/**
 * Trimmed objects by `namespace/name`. Objects that arrive equal to what is held are no change, and the one
 * held stays, so a relist of an unchanged world costs neither memory nor a handler.
 */
export class Store<T extends Identified, I extends string = never> {
  readonly #objects = new Map<string, T>();
  #synced = false;
  readonly #indexes = new Map<string, { of: Indexer<T>; keys: Map<string, Set<string>> }>();

  readonly #fillsInPlace: boolean;

  constructor(indexers?: Readonly<Record<I, Indexer<T>>>, { fillsInPlace = false }: StoreOptions = {}) {
    this.#fillsInPlace = fillsInPlace;
    for (const [name, of] of Object.entries<Indexer<T>>(indexers ?? {})) {
      this.#indexes.set(name, { of, keys: new Map() });
    }
  }

  /** True once the whole world was seen; before, what is missing may only not have come yet. */
  get synced(): boolean {
    return this.#synced;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  list(): IterableIterator<T> {
    return this.#objects.values();
  }

  /** The keys of the objects with this value in the index, in no order. */
  keysBy(index: I, value: string): ReadonlySet<string> {
    return this.#indexes.get(index)?.keys.get(value) ?? new Set();
  }

  listBy(index: I, value: string): T[] {
    return [...this.keysBy(index, value)].map((key) => this.#objects.get(key) as T);
  }

  /** True when it is a change. */
  set(key: string, value: T): boolean {
    const before = this.#objects.get(key);
    if (before !== undefined && isDeepStrictEqual(before, value)) return false;
    this.#objects.set(key, value);
    this.#reindex(key, before, value);
    return true;
  }

  /** True when it was there. */
  delete(key: string): boolean {
    const before = this.#objects.get(key);
    if (before === undefined) return false;
    this.#objects.delete(key);
    this.#reindex(key, before, undefined);
    return true;
  }

  replacement(): Replacement<T> {
    if (this.#fillsInPlace && !this.#synced) return this.#inPlace();
    const next = new Map<string, T>();
    return {
      set: (key, value) => {
        const held = this.#objects.get(key);
        next.set(key, held !== undefined && isDeepStrictEqual(held, value) ? held : value);
      },
      delete: (key) => void next.delete(key),
      commit: () => this.#commit(next),
    };
  }

  #inPlace(): Replacement<T> {
    // Of a list that was broken off.
    for (const key of [...this.#objects.keys()]) this.delete(key);
    return {
      set: (key, value) => void this.set(key, value),
      delete: (key) => void this.delete(key),
      commit: () => this.#commitInPlace(),
    };
  }

  *#commitInPlace(): Generator<Change<T>> {
    for (const key of this.#objects.keys()) yield [key, undefined];
    this.#synced = true;
  }

  *#commit(next: ReadonlyMap<string, T>): Generator<Change<T> | undefined> {
    // What comes is there before anything goes: between two steps a policy that took the place of another may not be missed.
    for (const [key, value] of next) {
      const before = this.#objects.get(key);
      const isOther = before !== value;
      if (isOther) {
        this.#objects.set(key, value);
        this.#reindex(key, before, value);
      }
      yield isOther ? [key, before] : undefined;
    }
    for (const [key, before] of this.#objects) {
      const isGone = !next.has(key) && this.delete(key);
      yield isGone ? [key, before] : undefined;
    }
    this.#synced = true;
  }

  #reindex(key: string, before: T | undefined, after: T | undefined): void {
    for (const { of, keys } of this.#indexes.values()) {
      for (const value of before === undefined ? [] : of(before, key)) {
        const held = keys.get(value);
        held?.delete(key);
        // An index by namespace or node would otherwise grow with every one that ever was.
        if (held?.size === 0) keys.delete(value);
      }
      for (const value of after === undefined ? [] : of(after, key)) {
        const held = keys.get(value);
        if (held) held.add(key);
        else keys.set(value, new Set([key]));
      }
    }
  }
}
