import type { EffectivePolicy, Policy } from './policy.ts';
import type { Rival } from './rival.ts';
import { isStricter } from './rival.ts';

/** On how many pods stricter policies bind instead of one policy; by the key of each in a store. */
export class RivalCount {
  readonly #policy: EffectivePolicy;
  readonly #rivals = new Map<string, { readonly policy: EffectivePolicy; pods: number }>();
  readonly #unsettled = new Set<string>();

  constructor(policy: EffectivePolicy) {
    this.#policy = policy;
  }

  get isSettled(): boolean {
    return this.#unsettled.size === 0;
  }

  /** Those that bind somewhere. */
  list(): Rival[] {
    return [...this.#rivals.values()].filter(({ pods }) => pods > 0);
  }

  /** What is known of the other holds no more. */
  doubt(key: string): void {
    this.#unsettled.add(key);
  }

  /** A pod that both select came or went. */
  change(key: string, by: 1 | -1): void {
    const rival = this.#rivals.get(key);
    if (rival !== undefined) rival.pods += by;
  }

  /** Counts those anew that are in doubt; stops after each. */
  *settle(
    policyOf: (key: string) => Policy | undefined,
    shared: (one: Policy, other: Policy) => number,
  ): Generator<void> {
    for (const key of this.#unsettled) {
      const other = policyOf(key);
      if (other !== undefined && isStricter(other, this.#policy))
        this.#rivals.set(key, { policy: other, pods: shared(this.#policy, other) });
      else this.#rivals.delete(key);
      this.#unsettled.delete(key);
      yield;
    }
  }
}
