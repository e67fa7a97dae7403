import type { PodView } from './pod.ts';
import type { Policy } from './policy.ts';
import { selectsPod } from './policy.ts';

type Labels = PodView['labels'];

/** What one costs beside its bits: two objects, and where it is found. */
const emptyBytes = 320;

/** Which sets of labels of a row that only grows a policy selects, one bit each, as far as it was looked at. */
export class MatchedLabels {
  #words = new Uint32Array(0);
  #until = 0;

  get words(): Uint32Array {
    return this.#words;
  }

  get bytes(): number {
    return emptyBytes + this.#words.byteLength;
  }

  /** Looks at so many more, at most; true when it has looked at all. */
  look(policy: Policy, row: readonly Labels[], most: number): boolean {
    const until = Math.min(row.length, this.#until + most);
    if (until > 32 * this.#words.length) this.#grow(row.length);
    for (let at = this.#until; at < until; at += 1)
      if (selectsPod(policy, { labels: row[at] ?? {} }))
        this.#words[at >>> 5] = (this.#words[at >>> 5] ?? 0) | (1 << (at & 31));
    this.#until = until;
    return until === row.length;
  }

  /** With room for some that come one after the other. */
  #grow(length: number): void {
    const words = new Uint32Array(Math.ceil((length * 9) / 8 / 32));
    words.set(this.#words);
    this.#words = words;
  }
}
