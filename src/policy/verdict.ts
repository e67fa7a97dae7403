import type { Verdict } from '../api/condition.ts';
import type { Effective, HostCounts, PodCounts } from '../api/status.ts';
import { giveUpSeconds, secondProbeSeconds, shortestTimeout, shorthand } from '../api/triple.ts';
import { capital, someOf } from './finding.ts';
import type { PolicyKind } from '../api/group.ts';
import type { Evidence } from './evidence.ts';
import type { AdmissionMode } from './mode.ts';
import { actsOnPods } from './obstacle.ts';
import type { EffectivePolicy } from './policy.ts';
import { agents } from './remedy.ts';

interface Present {
  readonly anyAgent: boolean;
  readonly evidence: Evidence;
  readonly pods: PodCounts;
  readonly hosts: HostCounts | undefined;
}

/** What the Ready condition says of a policy that does what it should. */
export function readyVerdict(policy: EffectivePolicy, present: Present): Verdict {
  const { effective, spec } = policy;
  const who = whoOf(policy, present);
  if (who === undefined) {
    const message = `Nothing is changed: it selects no pods, and no node agent runs that could change nodes. Install ${agents}; where it is installed, see which nodes it chooses`;
    return { kind: 'ready', reason: 'NothingEnforced', message };
  }
  const values =
    `keepalive ${shorthand(effective)} where theirs is not enough: ${probesBefore(effective)}, ` +
    `before ${effective.limitedBy} forgets at ${effective.idleTimeoutSeconds} s; given up after ${giveUpSeconds(effective)} s`;
  const what = present.anyAgent ? 'get' : 'start with';
  const none = isNobodyThere(present) ? 'Nothing that it selects is there at present. ' : '';
  return spec.mode === 'Enforce'
    ? {
        kind: 'ready',
        reason: 'Enforced',
        message: `${none}${capital(who)} ${what} ${values}${unproven(policy, present.evidence)}`,
      }
    : {
        kind: 'ready',
        reason: 'Audited',
        message: `${none}Nothing is changed. Enforced, ${who} would ${what} ${values}`,
      };
}

/** What is only likely is not to be read as seen. */
function unproven(policy: EffectivePolicy, evidence: Evidence): string {
  if (evidence.kind !== 'unknown' || !actsOnPods(policy)) return '';
  return (
    `. Whether the API server gives them to new pods by now cannot be seen (${evidence.why}), ` +
    'so that was waited for: see "Ready by evidence" in docs/install.md'
  );
}

function probesBefore(effective: Effective): string {
  const { timeSeconds, idleTimeoutSeconds } = effective;
  return idleTimeoutSeconds === shortestTimeout
    ? `a probe after ${timeSeconds} s`
    : `probes after ${timeSeconds} and ${secondProbeSeconds(effective)} s`;
}

function isNobodyThere({ pods, hosts }: Present): boolean {
  return pods.selected === 0 && (hosts?.selected ?? 0) === 0;
}

/** Who gets the values; undefined where nobody can give them to anybody. */
function whoOf({ spec }: EffectivePolicy, { anyAgent, pods, hosts }: Present): string | undefined {
  const who = [
    ...(spec.podSelector === undefined ? [] : [podsOf(anyAgent, pods)]),
    ...(hosts === undefined ? [] : [hosts.selected === 0 ? 'nodes that come' : 'nodes']),
  ];
  return who.length === 0 ? undefined : who.join(' and ');
}

function podsOf(anyAgent: boolean, { selected }: PodCounts): string {
  if (selected === 0) return 'pods that come';
  return anyAgent ? 'new and running pods' : 'new pods';
}

export const activatingReason = 'Activating';

/** The API server is yet to act by what was declared. */
export function activatingVerdict(generation: number): Verdict {
  const message = `The API server is taking up generation ${generation}: a pod created at this moment may still start without it`;
  return { kind: 'reconciling', reason: activatingReason, message };
}

export const inactiveReason = 'AdmissionInactive';

const inactiveAdvice: Readonly<Record<AdmissionMode, string>> = {
  policy:
    'After a restart of it, or after new CustomResourceDefinitions, that passes within half a minute; ' +
    'if it stays, look for MutatingAdmissionPolicy in the log of the API server',
  webhook:
    'While no replica of the controller is ready that passes with the first one; if it stays, see whether the control plane ' +
    'reaches its pods, at port 9443 unless you chose another (a firewall, a network policy, addresses that only nodes know), ' +
    'and look for pods.keepalive.dev in the log of the API server',
};

/** The API server answers that it does not act by any policy of the kind. */
export function inactiveVerdict(kind: PolicyKind, mode: AdmissionMode): Verdict {
  const message =
    `New pods start without the values at this moment: the API server was asked, and does not act by any ${kind}. ` +
    inactiveAdvice[mode];
  return { kind: 'reconciling', reason: inactiveReason, message };
}

export const awaitingReason = 'AwaitingNodes';

/** The agents of these nodes are yet to hold what was declared. */
export function awaitingVerdict(nodes: readonly string[], generation: number): Verdict {
  const message =
    `Waiting for the agents of ${someOf(nodes)} to report on generation ${generation}; ` +
    'until then they are counted with what they reported before';
  return { kind: 'reconciling', reason: awaitingReason, message };
}
