import type { EffectivePolicy, Policy } from './policy.ts';
import type { Rival } from './rival.ts';
import { isStricter } from './rival.ts';

/** Pods that the one is counted on, and that the other selects too. Undefined: it takes longer, and is to be asked again. */
export type Shared = (one: Policy, other: Policy) => number | undefined;

/** What is there to count in, at present. */
export interface Ground {
  readonly policyOf: (key: string) => Policy | undefined;
  /** Those in which both may select a pod. */
  readonly namespacesOf: (one: Policy, other: Policy) => Iterable<string>;
  readonly sharedIn: (namespace: string) => Shared;
}

/** A namespace that is another to some of the pairs. */
interface Turn {
  readonly namespace: string;
  /** As it was counted. */
  readonly was: Shared;
  /** Others for which it still counts as it was. */
  readonly left: Set<string>;
}

/**
 * On how many pods stricter policies bind instead of one policy; by the key of each in a store. What is not counted yet of a
 * namespace takes no change of its pods: it will be counted as it is then.
 */
export class RivalCount {
  readonly #policy: EffectivePolicy;
  readonly #rivals = new Map<string, { readonly policy: EffectivePolicy; pods: number }>();
  readonly #unsettled = new Set<string>();
  /** The first of these, and where it is still to be counted. */
  #counting: { readonly key: string; readonly left: Set<string> } | undefined;
  readonly #turns: Turn[] = [];

  constructor(policy: EffectivePolicy) {
    this.#policy = policy;
  }

  get isSettled(): boolean {
    return this.#unsettled.size === 0 && this.#turns.length === 0;
  }

  /** Those that bind somewhere. */
  list(): Rival[] {
    return [...this.#rivals.values()].filter(({ pods }) => pods > 0);
  }

  /** What is known of the other holds no more. */
  doubt(key: string): void {
    this.#unsettled.add(key);
    if (this.#counting?.key === key) this.#counting = undefined;
    for (const { left } of this.#turns) left.delete(key);
  }

  /** The other is this by now. False where it binds on no pod instead, and did not. */
  changed(key: string, other: Policy | undefined): boolean {
    const mayHaveBound = this.#rivals.has(key) || this.#unsettled.has(key);
    if (!mayHaveBound && (other === undefined || !isStricter(other, this.#policy))) return false;
    this.doubt(key);
    return true;
  }

  /** Some that bind may not act any more. */
  doubtAll(): void {
    for (const key of this.#rivals.keys()) this.doubt(key);
  }

  /** A pod of a namespace came or went that this one selects, and so do these. */
  changeAmong(keys: ReadonlySet<string>, namespace: string, by: 1 | -1): void {
    const rivals = this.#rivals;
    const [few, all] = rivals.size < keys.size ? [rivals, keys] : [keys, rivals];
    for (const key of few.keys()) if (all.has(key)) this.change(key, namespace, by);
  }

  /** A pod of a namespace that both select came or went. */
  change(key: string, namespace: string, by: 1 | -1): void {
    const rival = this.#rivals.get(key);
    if (rival !== undefined && !this.#isDue(key, namespace)) rival.pods += by;
  }

  /** A namespace is another for this policy, or for these others. */
  turned(namespace: string, keys: Iterable<string>, was: Shared): void {
    const left = new Set<string>();
    for (const key of keys) if (this.#rivals.has(key) && !this.#isDue(key, namespace)) left.add(key);
    if (left.size > 0) this.#turns.push({ namespace, was, left });
  }

  /** Counts those anew that are in doubt, namespace by namespace, and what is another of the rest; stops after each. */
  *settle(ground: Ground): Generator<void> {
    yield* this.#takeTurns(ground);
    for (;;) {
      this.#counting ??= this.#begin(ground);
      if (this.#counting === undefined) return;
      const { key, left } = this.#counting;
      const rival = this.#rivals.get(key);
      for (const namespace of left) {
        if (rival !== undefined)
          rival.pods += yield* known(() => ground.sharedIn(namespace)(this.#policy, rival.policy));
        left.delete(namespace);
        yield;
      }
      this.#unsettled.delete(key);
      this.#counting = undefined;
      yield;
    }
  }

  *#takeTurns({ sharedIn }: Ground): Generator<void> {
    for (let [turn] = this.#turns; turn !== undefined; [turn] = this.#turns) {
      const { namespace, was, left } = turn;
      for (const key of left) {
        const rival = this.#rivals.get(key);
        if (rival !== undefined) {
          const before = yield* known(() => was(this.#policy, rival.policy));
          const now = yield* known(() => sharedIn(namespace)(this.#policy, rival.policy));
          rival.pods += now - before;
        }
        left.delete(key);
        yield;
      }
      this.#turns.shift();
    }
  }

  #begin({
    policyOf,
    namespacesOf,
  }: Ground): { readonly key: string; readonly left: Set<string> } | undefined {
    const [key] = this.#unsettled;
    if (key === undefined) return undefined;
    const other = policyOf(key);
    if (other === undefined || !isStricter(other, this.#policy)) {
      this.#rivals.delete(key);
      return { key, left: new Set() };
    }
    this.#rivals.set(key, { policy: other, pods: 0 });
    return { key, left: new Set(namespacesOf(this.#policy, other)) };
  }

  /** It will be counted as it is then. */
  #isDue(key: string, namespace: string): boolean {
    if (this.#unsettled.has(key) && (this.#counting?.key !== key || this.#counting.left.has(namespace)))
      return true;
    return this.#turns.some((turn) => turn.namespace === namespace && turn.left.has(key));
  }
}

/** Whoever goes on counting later begins anew, and it is known sooner then. */
function* known(ask: () => number | undefined): Generator<void, number> {
  for (;;) {
    const pods = ask();
    if (pods !== undefined) return pods;
    yield;
  }
}
