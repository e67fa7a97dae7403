import { parseKey } from '../kube/resource.ts';
import { Turns } from '../kube/turns.ts';

/** Whose a policy is, where owners take turns: a namespace, or whoever sees to the cluster. */
export function ownerOf(policy: string): string {
  return parseKey(policy).namespace ?? '';
}

/** So many turns are owed at most: what was written at once long ago is not to be made up for. */
const mostOwed = 30;

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
  /** Turns that others used up, for which those that wait have to wait longer still. */
  #owed = 0;

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
      this.#rest(moment);
      this.#call(moment);
    }
    const ahead = this.#waiting.ahead(policy);
    if (ahead === undefined) return 0;
    const at = this.#nextAt(moment) + (ahead + Math.min(ahead, this.#owed)) * moment.eachMs;
    this.#toldAt.set(policy, at);
    return at - moment.now;
  }

  /** Somebody did without waiting here what others wait for. Of the turns that follow, every other one at most is taken for it. */
  useUp(policy: string, moment: Moment): void {
    this.#call(moment);
    // Whose turn has come does it in that turn.
    if (this.#called.has(policy)) return;
    this.#rest(moment);
    this.#owed = Math.min(this.#owed + 1, mostOwed);
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
      const owed = Math.min(this.#owed, 1);
      this.#owed -= owed;
      this.#restedAt += (1 + owed) * moment.eachMs;
    }
  }

  /** Turns that nobody wanted are given for those that are owed. */
  #rest({ now, eachMs }: Moment): void {
    if (this.#restedAt >= now) return;
    this.#owed = Math.max(0, this.#owed - Math.floor((now - this.#restedAt) / eachMs));
    this.#restedAt = now;
  }

  #nextAt({ eachMs }: Moment): number {
    return this.#restedAt - (this.#atOnce - 1) * eachMs;
  }
}
