import type { Place } from '../policy/place.ts';
import type { Override } from '../policy/override.ts';
import { isForgotten, isHeldOff, overriddenAgain } from '../policy/override.ts';
import type { TripleKey } from '../api/triple.ts';

/** Who sets our values back, place by place: put right, until it looks like a war. */
export class Overrides {
  readonly #now: () => number;
  readonly #known = new Map<Place, Override>();
  /** Places whose last override was left for a while: it is put right next, and not counted again. */
  readonly #left = new Set<Place>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** To be asked at each look that finds a value overridden. */
  judge(place: Place, { key, seen }: { key: TripleKey; seen: number }): 'put right' | 'leave' {
    const nowMs = this.#now();
    const before = this.#known.get(place);
    if (isHeldOff(before, nowMs)) return 'leave';
    if (this.#left.delete(place)) return 'put right';
    const override = overriddenAgain(before, { key, seen, nowMs });
    this.#known.set(place, override);
    if (!isHeldOff(override, nowMs)) return 'put right';
    this.#left.add(place);
    return 'leave';
  }

  /** The latest of a place, while it is not long ago. */
  recent(place: Place): Override | undefined {
    const override = this.#known.get(place);
    if (override === undefined || !isForgotten(override, this.#now())) return override;
    this.forget(place);
    return undefined;
  }

  forget(place: Place): void {
    this.#known.delete(place);
    this.#left.delete(place);
  }

  places(): IterableIterator<Place> {
    return this.#known.keys();
  }
}
