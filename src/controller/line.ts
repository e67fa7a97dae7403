import { parseKey } from '../kube/resource.ts';
import { Turns } from '../kube/turns.ts';

/** Whose a policy is, where owners take turns: a namespace, or whoever sees to the cluster. */
export function ownerOf(policy: string): string {
  return parseKey(policy).namespace ?? '';
}

interface Moment {
  readonly now: number;
  /** How long after one the next has its turn. */
  readonly eachMs: number;
}

/**
 * One bound for all policies together: some have their turn at once, where nobody had one for a while, then one after the other, and
 * owners in turn, however many policies each of them has waiting.
 */
export class Line {
  readonly #atOnce: number;
  readonly #waiting = new Turns(ownerOf);
  /** Whose turn has come: it is kept for them, or all that wait would come at once and be sent away again. */
  readonly #called = new Set<string>();
  /** When each was told to come again: reckoned anew only then, since whoever waits asks all the time. */
  readonly #toldAt = new Map<string, number>();
  /** When as many may go at once again as ever. */
  #restedAt = -Infinity;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** 0: it is its turn. Another owner that comes later may be before it: then it is to come once more. */
  waitMs(policy: string, moment: Moment): number {
    this.#call(moment);
    if (this.#called.has(policy)) return 0;
    const toldMs = (this.#toldAt.get(policy) ?? -Infinity) - moment.now;
    return toldMs > 0 ? toldMs : this.#lineUp(policy, moment);
  }

  #lineUp(policy: string, moment: Moment): number {
    if (!this.#waiting.has(policy)) {
      this.#waiting.add(policy);
      this.#restedAt = Math.max(this.#restedAt, moment.now);
      this.#call(moment);
    }
    const ahead = this.#waiting.ahead(policy);
    if (ahead === undefined) return 0;
    const at = this.#nextAt(moment) + ahead * moment.eachMs;
    this.#toldAt.set(policy, at);
    return at - moment.now;
  }

  leave(policy: string): void {
    this.#waiting.delete(policy);
    this.#called.delete(policy);
    this.#toldAt.delete(policy);
  }

  /** All that would have been called since somebody asked last. */
  #call(moment: Moment): void {
    while (this.#waiting.size > 0 && this.#nextAt(moment) <= moment.now) {
      const policy = this.#waiting.next();
      if (policy !== undefined) this.#called.add(policy);
      this.#restedAt += moment.eachMs;
    }
  }

  #nextAt({ eachMs }: Moment): number {
    return this.#restedAt - (this.#atOnce - 1) * eachMs;
  }
}
