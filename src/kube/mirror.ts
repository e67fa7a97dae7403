import type { Log } from './log.ts';
import { keyOf, type KubeObject } from './resource.ts';
import { Slices } from './slices.ts';
import type { Identified, Replacement, Store } from './store.ts';
import { checkObject, type WatchEvent } from './stream.ts';

export interface MirrorOptions<T extends Identified> {
  readonly store: Store<T, string>;
  /**
   * What is kept of an object; undefined keeps nothing. Must not hold on to the object itself. Objects of a
   * paged list carry no `kind`. An object on which it throws is logged and left out.
   */
  readonly trim: (object: KubeObject) => T | undefined;
  /**
   * Of an object that a watch tells of, whether it is what is held already, by as little of it as tells: it is not trimmed then.
   * Not asked of lists, which are read whole.
   */
  readonly isHeld?: (object: KubeObject, held: T) => boolean;
  /** Told each key whose trimmed object came, changed or went, and what was held before; after the store has it. */
  readonly onChange?: (key: string, before: T | undefined) => void;
  readonly log: Log;
}

/** The server does not stream lists; `forever` when it will not later either. */
export class NoStreamedList extends Error {
  override readonly name = 'NoStreamedList';
  readonly forever: boolean;

  constructor(message: string, forever: boolean) {
    super(message);
    this.forever = forever;
  }
}

/** Carries what a list or a watch brings into the store, and knows up to which position the store is true. */
export class Mirror<T extends Identified> {
  readonly #options: MirrorOptions<T>;
  readonly #synced = Promise.withResolvers<void>();
  #version: string | undefined;
  #staged: Replacement<T> | undefined;

  constructor(options: MirrorOptions<T>) {
    this.#options = options;
  }

  /** The position from which a watch may go on; undefined: only a list can tell. */
  get version(): string | undefined {
    return this.#version;
  }

  /** True between {@link begin} and {@link commit}. */
  get listing(): boolean {
    return this.#staged !== undefined;
  }

  get whenSynced(): Promise<void> {
    return this.#synced.promise;
  }

  forgetVersion(): void {
    this.#version = undefined;
  }

  /** What comes now is a list, gathered aside; a list begun before is dropped. */
  begin(): void {
    this.#staged = this.#options.store.replacement();
  }

  stage(item: unknown): void {
    const object = checkObject(item);
    const value = this.#trim(object);
    if (value !== undefined) this.#staged?.set(keyOf(object.metadata), value);
  }

  /**
   * The list is whole: it becomes the store. What differs is told key by key as a watch would tell it, and others have their turn in
   * between: it may be the pods of a whole cluster. Nothing else may be brought before it resolves.
   */
  async commit(version: string): Promise<void> {
    const slices = new Slices();
    for (const change of this.#staged?.commit() ?? []) {
      if (change !== undefined) this.#notify(...change);
      const rest = slices.rest();
      if (rest !== undefined) await rest;
    }
    this.#staged = undefined;
    this.#version = version;
    this.#synced.resolve();
  }

  /** Where it makes a list whole, nothing else may be brought before it resolves. */
  accept(event: WatchEvent): Promise<void> | undefined {
    if (event.type === 'BOOKMARK') return this.#acceptBookmark(event);
    if (!this.#staged) this.#store(event);
    // The version of an initial event is when its object last changed, not a position in the stream.
    else if (event.type === 'DELETED') this.#staged.delete(keyOf(event.object.metadata));
    else this.stage(event.object);
    return undefined;
  }

  #acceptBookmark({ resourceVersion, initialEventsEnd }: WatchEvent & { type: 'BOOKMARK' }) {
    if (!this.#staged) {
      this.#version = resourceVersion;
      return undefined;
    }
    // A server that knows streamed lists holds every other bookmark back until this one.
    if (!initialEventsEnd) throw new NoStreamedList('the server ignores sendInitialEvents', true);
    return this.commit(resourceVersion);
  }

  #store({ type, object }: Exclude<WatchEvent, { type: 'BOOKMARK' }>): void {
    const key = keyOf(object.metadata);
    const { store, isHeld } = this.#options;
    const before = store.get(key);
    this.#version = object.metadata.resourceVersion;
    if (type !== 'DELETED' && before !== undefined && isHeld?.(object, before)) return;
    const value = type === 'DELETED' ? undefined : this.#trim(object);
    const changed = value === undefined ? store.delete(key) : store.set(key, value);
    if (changed) this.#notify(key, before);
  }

  #trim(object: KubeObject): T | undefined {
    try {
      return this.#options.trim(object);
    } catch (error) {
      this.#options.log.error({ err: error, key: keyOf(object.metadata) }, 'object left out: cannot be read');
      return undefined;
    }
  }

  #notify(key: string, before: T | undefined): void {
    try {
      this.#options.onChange?.(key, before);
    } catch (error) {
      this.#options.log.error({ err: error, key }, 'handler of a change failed');
    }
  }
}
