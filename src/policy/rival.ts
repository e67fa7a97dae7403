import { isDeepStrictEqual } from 'node:util';

import type { Effective } from '../api/status.ts';
import type { EffectivePolicy, Policy } from './policy.ts';
import { requirementOf, together } from './requirement.ts';

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

/** Whether one policy alone asks for less than both together. */
function asksForMore(other: Effective, than: Effective): boolean {
  const alone = requirementOf(than);
  return !isDeepStrictEqual(together([alone, requirementOf(other)]), alone);
}
