import { meets } from './enough.ts';
import type { NamespaceView, PodView } from './pod.ts';
import type { EffectivePolicy } from './policy.ts';
import { requirementOf } from './requirement.ts';
import type { Skip } from './skip.ts';
import { agentSkipOf, isPinned, skipOf } from './skip.ts';

/** What is known of a pod from its spec alone; `undefined`: exposed. */
type SpecStanding = Skip | 'declared' | undefined;

export interface Judgement {
  readonly standing: SpecStanding;
  /** Made while admission looked away. */
  readonly isMissed: boolean;
}

/** What of its namespace a judgement depends on. */
export interface Basis {
  readonly namespace: NamespaceView;
  /** From when on a new pod there must have been given the values; undefined: from no moment on. */
  readonly sinceMs: number | undefined;
}

export function isSameBasis(a: Basis | undefined, b: Basis | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.sinceMs === b.sinceMs && isPinned(a.namespace) === isPinned(b.namespace);
}

/** Judges pods by their specs for one policy. */
export class Judge {
  readonly #requirement: ReturnType<typeof requirementOf>;

  constructor({ effective }: EffectivePolicy) {
    this.#requirement = requirementOf(effective);
  }

  of(pod: PodView, { namespace, sinceMs }: Basis): Judgement {
    const standing = this.#standingOf(pod, namespace);
    return { standing, isMissed: standing === undefined && isLaterThan(pod, sinceMs) };
  }

  /**
   * A pod of a node's own network, or of Windows, declares nothing, whatever the defaults of Linux would be worth to
   * another. A pod whose own values are good is counted as such, whatever else holds of it.
   */
  #standingOf(pod: PodView, namespace: NamespaceView): SpecStanding {
    const ownKernel = !pod.hostNetwork && !pod.windows;
    if (ownKernel && pod.declared !== undefined && meets(pod.declared, this.#requirement)) return 'declared';
    return skipOf(pod, namespace);
  }
}

/** A pod that admission saw bears its note, whatever became of its values. */
function isLaterThan(pod: PodView, sinceMs: number | undefined): boolean {
  if (pod.declared === undefined || pod.noted) return false;
  return sinceMs !== undefined && pod.createdAtMs !== undefined && pod.createdAtMs > sinceMs;
}

/** On a pod that is left as it is, nobody's values bind. Where no agent reports, admission alone could have given it any. */
export function isLeft(pod: PodView, namespace: NamespaceView, isSilent: boolean): boolean {
  return (isSilent ? skipOf(pod, namespace) : agentSkipOf(pod)) !== undefined;
}
