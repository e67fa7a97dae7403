import type { Effective } from '../api/status.ts';
import type { Triple } from '../api/triple.ts';
import { tripleKeys } from '../api/triple.ts';
import type { EffectivePolicy, Policy } from './policy.ts';
import { both, requirementOf, valuesFor } from './requirement.ts';

/** A stricter policy, and on how many of the selected pods it binds instead: on one at least. */
export interface Rival {
  readonly policy: EffectivePolicy;
  readonly pods: number;
}

/** Whether `other` changes pods and asks for more than the policy where both select a pod. */
export function isStricter(other: Policy, policy: EffectivePolicy): other is EffectivePolicy {
  return (
    other !== policy &&
    other.spec.mode === 'Enforce' &&
    other.effective !== undefined &&
    asksForMore(other.effective, policy.effective)
  );
}

/**
 * Whether one policy alone asks for less than both together. What the other declares counts for as much as it makes of the values: an
 * order above them hardly ever meets a pod.
 */
function asksForMore(other: Effective, than: Effective): boolean {
  const both = bothOf(than, other);
  // More probes than it would have by itself are more patience, and take nothing from it.
  return askedFor.some((key) => both[key] < than[key]);
}

const askedFor = ['idleTimeoutSeconds', ...tripleKeys] as const;

/** What a pod is given that two policies select. */
export function bothOf(one: Effective, other: Effective): Triple & Pick<Effective, 'idleTimeoutSeconds'> {
  const asked = both(requirementOf(one), requirementOf(other));
  return { idleTimeoutSeconds: asked.idleTimeoutSeconds, ...valuesFor(asked) };
}
