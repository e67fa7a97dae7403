import type { Verdict } from '../api/condition.ts';
import { lastProbeSeconds } from './derive.ts';
import type { EffectivePolicy } from './policy.ts';
import { shorthand } from './strictest.ts';

/** What the Ready condition says of a policy that does what it should. */
export function readyVerdict({ effective, spec }: EffectivePolicy): Verdict {
  if (spec.podSelector === undefined) {
    const message = 'It selects no pods; nodes need the node agent, and none reports: nothing is changed';
    return { kind: 'ready', reason: 'NothingEnforced', message };
  }
  const { idleTimeoutSeconds, limitedBy } = effective;
  const values =
    `keepalive ${shorthand(effective)}: the last probe goes out after ${lastProbeSeconds(effective)} s, ` +
    `before ${limitedBy} forgets at ${idleTimeoutSeconds} s`;
  return spec.mode === 'Enforce'
    ? { kind: 'ready', reason: 'Enforced', message: `New pods start with ${values}` }
    : {
        kind: 'ready',
        reason: 'Audited',
        message: `Nothing is changed. Enforced, new pods would start with ${values}`,
      };
}
