import type { Verdict } from '../api/condition.ts';
import type { Effective } from '../api/status.ts';
import { giveUpSeconds, secondProbeSeconds, shortestTimeout, shorthand } from '../api/triple.ts';
import type { EffectivePolicy } from './policy.ts';

/** What the Ready condition says of a policy that does what it should. */
export function readyVerdict({ effective, spec }: EffectivePolicy, anyAgent: boolean): Verdict {
  const selectsPods = spec.podSelector !== undefined;
  if (!selectsPods && !anyAgent) {
    const message = 'It selects no pods, and no node agent runs that could change nodes: nothing is changed';
    return { kind: 'ready', reason: 'NothingEnforced', message };
  }
  const { idleTimeoutSeconds, limitedBy } = effective;
  const values =
    `keepalive ${shorthand(effective)} where theirs is not enough: ${probesBefore(effective)}, ` +
    `before ${limitedBy} forgets at ${idleTimeoutSeconds} s; given up after ${giveUpSeconds(effective)} s`;
  const who = anyAgent ? (selectsPods ? 'New and running pods' : 'Nodes') : 'New pods';
  const what = anyAgent ? 'get' : 'start with';
  return spec.mode === 'Enforce'
    ? { kind: 'ready', reason: 'Enforced', message: `${who} ${what} ${values}` }
    : {
        kind: 'ready',
        reason: 'Audited',
        message: `Nothing is changed. Enforced, ${who.toLowerCase()} would ${what} ${values}`,
      };
}

function probesBefore(effective: Effective): string {
  const { timeSeconds, idleTimeoutSeconds } = effective;
  return idleTimeoutSeconds === shortestTimeout
    ? `a probe after ${timeSeconds} s`
    : `probes after ${timeSeconds} and ${secondProbeSeconds(effective)} s`;
}

export const awaitingReason = 'AwaitingNodes';
const namedNodes = 3;

/** The agents of these nodes are yet to hold what was declared. */
export function awaitingVerdict(awaited: readonly string[], generation: number): Verdict {
  const named = awaited.slice(0, namedNodes).join(', ');
  const rest = awaited.length > namedNodes ? ` and ${awaited.length - namedNodes} more` : '';
  const message = `Waiting for the agents of ${named}${rest} to report on generation ${generation}`;
  return { kind: 'reconciling', reason: awaitingReason, message };
}
