import type { LabelSelector } from '../api/selector.ts';
import { MatchedLabels } from './matched-labels.ts';

type ByRow = WeakMap<object, WeakMap<LabelSelector, MatchedLabels>>;

/**
 * What selectors select of rows of labels, remembered as long as both are there and it is asked for again while so many bytes of
 * others are. It holds twice as many at most.
 */
export class MatchMemory {
  readonly #most: number;
  #left: number;
  #recent: ByRow = new WeakMap();
  #before: ByRow = new WeakMap();

  constructor(mostBytes: number) {
    this.#most = mostBytes;
    this.#left = mostBytes;
  }

  of(row: object, selector: LabelSelector): MatchedLabels {
    const recent = this.#recent.get(row)?.get(selector);
    if (recent !== undefined) return recent;
    const selected = this.#before.get(row)?.get(selector) ?? new MatchedLabels();
    this.charge(selected.bytes);
    const ofRow = this.#recent.get(row) ?? new WeakMap<LabelSelector, MatchedLabels>();
    this.#recent.set(row, ofRow.set(selector, selected));
    return selected;
  }

  /** What is remembered has become so much longer. */
  charge(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    this.#before = this.#recent;
    this.#recent = new WeakMap();
    this.#left = this.#most - bytes;
  }
}
