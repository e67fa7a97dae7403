import type { Clock } from '../kube/clock.ts';
import type { Plan } from '../policy/plan.ts';

/** Since when each policy is being activated by this process: no clock that somebody sets has a say in it. */
export class Activations {
  readonly #clock: Clock;
  readonly #begunAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined where this process did not begin it. */
  ofMs(policy: string): number | undefined {
    const begunAt = this.#begunAt.get(policy);
    return begunAt === undefined ? undefined : this.#clock.now() - begunAt;
  }

  /** Once a plan was carried out: the API server can take up only what was written. */
  note(policy: string, { activation }: Pick<Plan, 'activation'>): void {
    if (activation === 'begins') this.#begunAt.set(policy, this.#clock.now());
    else if (activation === 'none') this.#begunAt.delete(policy);
  }

  forget(policy: string): void {
    this.#begunAt.delete(policy);
  }
}
