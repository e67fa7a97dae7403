import type { Next } from '../kube/queue.ts';
import type { ControllerMetrics, Outcome } from '../ops/controller-metrics.ts';
import type { Plan } from '../policy/plan.ts';
import type { Activations } from './activation.ts';
import { kindOf } from './activation.ts';
import type { Applier } from './apply.ts';
import type { Look, Looks } from './look.ts';
import type { Pace } from './pace.ts';
import type { Readings } from './reading.ts';

export interface ReconcilerOptions {
  readonly looks: Pick<Looks, 'at'>;
  readonly applier: Pick<Applier, 'apply' | 'clearOrphan'>;
  readonly activations: Activations;
  readonly pace: Pace;
  /** What each policy was last found to be. */
  readonly readings: Readings;
  readonly metrics: Pick<ControllerMetrics, 'reconciles' | 'reconcileSeconds'>;
  readonly onActivation: () => void;
}

/** How it ended, where there was something to be done, and when to come again. */
interface Ended {
  readonly outcome?: Outcome;
  readonly next: Next;
}

/** Looks at one policy, does what is to be done for it, and counts how that ended: a look that fails as well, since nothing is done then. */
export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: string): Promise<Next> {
    const { reconciles, reconcileSeconds } = this.#options.metrics;
    const kind = kindOf(key);
    const startedAt = performance.now();
    let outcome: Outcome | undefined = 'failed';
    try {
      const ended = await this.#at(key);
      outcome = ended.outcome;
      return ended.next;
    } finally {
      if (outcome !== undefined) {
        reconciles.inc({ kind, outcome });
        reconcileSeconds.observe({ kind }, (performance.now() - startedAt) / 1000);
      }
    }
  }

  async #at(key: string): Promise<Ended> {
    const looked = await this.#options.looks.at(key);
    if (looked === 'another') return { next: undefined };
    if (looked !== undefined) return this.#carryOut(key, looked);
    const { activations, pace, readings, applier } = this.#options;
    activations.forget(key);
    pace.forget(key);
    readings.forget(key);
    await applier.clearOrphan(key);
    return { next: undefined };
  }

  async #carryOut(key: string, { circumstances, planned }: Look): Promise<Ended> {
    const { activations, readings, applier, onActivation } = this.#options;
    readings.note(key, circumstances, planned);
    const waitMs = await applier.apply(circumstances, planned);
    activations.note(key, planned);
    if (planned.activation === 'begins') onActivation();
    const afterMs = Math.min(planned.againAfterMs ?? Infinity, waitMs ?? Infinity);
    return { outcome: outcomeOf(planned), next: afterMs === Infinity ? undefined : { afterMs } };
  }
}

function outcomeOf({ verdict, againAfterMs }: Plan): Outcome {
  if (verdict.kind === 'stalled') return 'stalled';
  return againAfterMs === undefined ? 'done' : 'again';
}
