import type { PodView } from './pod.ts';
import type { Policy } from './policy.ts';
import { selectsPod } from './policy.ts';

type Labels = PodView['labels'];

/**
 * Of one namespace, how many pods bear which labels, without those on which nobody's values bind. Pods of one template share an
 * object of labels, so there are few of them to ask a selector about.
 */
export class Crowd {
  readonly #pods: Map<Labels, number>;

  constructor(as?: Crowd) {
    this.#pods = new Map(as === undefined ? [] : as.#pods);
  }

  change({ labels }: Pick<PodView, 'labels'>, by: 1 | -1): void {
    const pods = (this.#pods.get(labels) ?? 0) + by;
    if (pods === 0) this.#pods.delete(labels);
    else this.#pods.set(labels, pods);
  }

  /** How many pods both select. */
  sharedBy(one: Policy, other: Policy): number {
    let shared = 0;
    for (const [labels, pods] of this.#pods)
      if (selectsPod(one, { labels }) && selectsPod(other, { labels })) shared += pods;
    return shared;
  }
}
