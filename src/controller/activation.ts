import type { PolicyKind } from '../api/group.ts';
import type { Clock } from '../kube/clock.ts';
import type { Plan } from '../policy/plan.ts';

interface Activation {
  readonly begunAt: number;
  /** The API server was seen to act by what was written. */
  isSeen: boolean;
}

/** The policies that are being activated by this process: no clock that somebody sets has a say in it. */
export class Activations {
  readonly #clock: Clock;
  readonly #begun = new Map<string, Activation>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined where this process did not begin it. */
  ofMs(policy: string): number | undefined {
    const activation = this.#begun.get(policy);
    return activation && this.#clock.now() - activation.begunAt;
  }

  /** On the clock of this process. */
  begunAt(policy: string): number | undefined {
    return this.#begun.get(policy)?.begunAt;
  }

  /** Whether it is under way and the API server was not seen to act by it. */
  isAwaited(policy: string): boolean {
    return this.#begun.get(policy)?.isSeen === false;
  }

  awaited(kind: PolicyKind): string[] {
    return [...this.#begun]
      .filter(([key, { isSeen }]) => !isSeen && kindOf(key) === kind)
      .map(([key]) => key);
  }

  /** Once a plan was carried out: the API server can take up only what was written. */
  note(policy: string, { activation }: Pick<Plan, 'activation'>): void {
    if (activation === 'begins') this.#begun.set(policy, { begunAt: this.#clock.now(), isSeen: false });
    else if (activation === 'none') this.#begun.delete(policy);
  }

  /** Of those that were begun since it was asked about, nothing is known yet. */
  seen(policies: Iterable<string>, askedAt: number): void {
    for (const policy of policies) {
      const activation = this.#begun.get(policy);
      if (activation !== undefined && activation.begunAt <= askedAt) activation.isSeen = true;
    }
  }

  forget(policy: string): void {
    this.#begun.delete(policy);
  }
}

/** By the form of its key in a store. */
export function kindOf(policy: string): PolicyKind {
  return policy.includes('/') ? 'KeepalivePolicy' : 'ClusterKeepalivePolicy';
}
