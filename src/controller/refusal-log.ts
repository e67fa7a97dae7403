import type { Refusal } from '../api/status.ts';
import { refusalLimit } from '../api/status.ts';
import type { Refused } from '../policy/refusal.ts';
import type { Hearing } from '../policy/withholding.ts';

/** So many namespaces are remembered; the longest silent one is forgotten first. */
const maxNamespaces = 1_000;

interface Heard {
  readonly refused: Refused;
  /** What came when is known by numbers that grow: times in events are claims. Who is refused again while it waits keeps its turn. */
  readonly first: number;
  readonly last: number;
}

/** Whom a policy's status was seen to list, and who had to leave that list for others. */
interface Standing {
  listed: readonly Refusal[];
  /** What had been heard by then. */
  seenAt: number;
  readonly left: Map<string, { readonly refusal: Refusal; readonly seenAt: number; readonly turn: number }>;
}

/** The newest refusal of each namespace, and whose turn it is where a policy has no place for all of them. */
export class RefusalLog {
  /** In the order in which they were heard of last. */
  readonly #newest = new Map<string, Heard>();
  readonly #standings = new Map<string, Standing>();
  #count = 0;

  /** True when it is news. A time to come, which anybody may write, is taken for now: what follows has to be newer. */
  note(refused: Refused, nowMs: number): boolean {
    const { namespace } = refused;
    const atMs = Math.min(refused.atMs, nowMs);
    const held = this.#newest.get(namespace);
    if (held !== undefined && held.refused.atMs >= atMs) return false;
    const last = (this.#count += 1);
    this.#newest.delete(namespace);
    this.#newest.set(namespace, { refused: { ...refused, atMs }, first: held?.first ?? last, last });
    const [silent = ''] = this.#newest.keys();
    if (this.#newest.size > maxNamespaces) this.#newest.delete(silent);
    return true;
  }

  of(namespace: string): readonly Refused[] {
    const held = this.#newest.get(namespace);
    return held === undefined ? [] : [held.refused];
  }

  /**
   * For a policy whose status lists these: who had no place yet, since its owner tries again soon and ever more seldom, and who left
   * that list for others, one of each in turn, so that neither keeps the other out; of both who waits longest comes first. What was
   * refused before it left is no news, or each look would write another status.
   */
  inTurnFor(policy: string, refusals: readonly Refusal[]): Pick<Hearing, 'heard' | 'left'> {
    const { left } = this.#seen(policy, refusals);
    const gone = ({ refused }: Heard) => left.get(refused.namespace);
    const turn = (one: Heard) => gone(one)?.turn ?? one.first;
    const news = [...this.#newest.values()].filter((one) => one.last > (gone(one)?.seenAt ?? 0));
    news.sort((a, b) => turn(a) - turn(b));
    const listed = new Set(refusals.map(({ namespace }) => namespace));
    const {
      held = [],
      first = [],
      again = [],
    } = Object.groupBy(news, (one) => {
      if (listed.has(one.refused.namespace)) return 'held';
      return gone(one) === undefined ? 'first' : 'again';
    });
    return {
      heard: [...held, ...alternating(first, again)].map(({ refused }) => refused),
      left: [...left.values()].map(({ refusal }) => refusal),
    };
  }

  #seen(policy: string, refusals: readonly Refusal[]): Standing {
    const standing: Standing = this.#standings.get(policy) ?? { listed: [], seenAt: 0, left: new Map() };
    const names = new Set(refusals.map(({ namespace }) => namespace));
    if (standing.listed.length >= refusalLimit)
      for (const one of standing.listed) if (!names.has(one.namespace)) this.#leave(one, refusals, standing);
    for (const name of standing.left.keys())
      if (names.has(name) || !this.#newest.has(name)) standing.left.delete(name);
    [standing.listed, standing.seenAt] = [refusals, this.#count];
    this.#standings.set(policy, standing);
    return standing;
  }

  /** It is being tried from then on, as it would be listed. */
  #leave(one: Refusal, refusals: readonly Refusal[], { left, seenAt }: Standing): void {
    const sinceThen = refusals.reduce((latest, { since }) => (since > latest ? since : latest), one.since);
    const since = one.admission === 'Active' ? one.since : sinceThen;
    const turn = (this.#count += 1);
    left.set(one.namespace, { refusal: { ...one, admission: 'Active', since }, seenAt, turn });
  }

  /** The policy is gone. */
  forget(policy: string): void {
    this.#standings.delete(policy);
  }
}

function alternating<T>(some: readonly T[], others: readonly T[]): T[] {
  const length = Math.max(some.length, others.length);
  return Array.from({ length }, (_, at) => [...some.slice(at, at + 1), ...others.slice(at, at + 1)]).flat();
}
