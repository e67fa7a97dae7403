import { shorthand, tripleOf } from '../api/triple.ts';
import { meets } from './enough.ts';
import type { Draft } from './finding.ts';
import { whereabouts } from './finding.ts';
import type { EffectivePolicy } from './policy.ts';
import { whoWouldAct } from './policy.ts';
import type { Reading } from './reading.ts';
import { ledgerFault } from './reading.ts';
import { requirementOf } from './requirement.ts';
import type { PodSelection } from './selection.ts';
import type { SandboxRuntime } from './runtime.ts';
import type { Skip } from './skip.ts';
import { agentSkipOf } from './skip.ts';
import { sysctlNames } from './sysctl.ts';

/**
 * How a pod, or a node's own network, stands to a policy by what its kernel holds. `pending`: its sandbox is
 * still being made, or no program of it has run in there.
 */
export type Standing =
  | { readonly is: 'live' | 'pending' }
  | { readonly is: 'skipped'; readonly skip: Skip }
  | { readonly is: 'exposed'; readonly reason: string; readonly say: () => string };

const live: Standing = { is: 'live' };
const pending: Standing = { is: 'pending' };

export function standingOfPod(
  { pod }: Pick<PodSelection, 'pod'>,
  policy: EffectivePolicy,
  { own, host }: { readonly own: Reading | undefined; readonly host: Reading | undefined },
): Standing {
  if (pod.pending) return pending;
  const reading = pod.hostNetwork ? host : own;
  if (reading !== undefined && isLive(reading, policy)) return live;
  const skip = agentSkipOf(pod);
  if (skip !== undefined) return { is: 'skipped', skip };
  if (reading === undefined || (reading.state === 'absent' && !pod.started)) return pending;
  return exposure(reading, policy);
}

export function standingOfHost(reading: Reading | undefined, policy: EffectivePolicy): Standing {
  if (reading === undefined) return pending;
  return isLive(reading, policy) ? live : exposure(reading, policy);
}

function isLive({ state, now }: Reading, { effective }: EffectivePolicy): boolean {
  const triple = tripleOf(now);
  return state === 'read' && triple !== undefined && meets(triple, requirementOf(effective));
}

/** What keeps a kernel that was looked at, or could not be, from holding the values; in this order. */
const causes: readonly ((reading: Reading, policy: EffectivePolicy) => Standing | undefined)[] = [
  isClaimedTwice,
  isSandboxed,
  hasNoProcess,
  cannotBeNoted,
  cannotBeEntered,
  lacksAValue,
  isOnlyAudited,
  refusesToBeWritten,
  isSetBack,
];

function exposure(reading: Reading, policy: EffectivePolicy): Standing {
  for (const cause of causes) {
    const standing = cause(reading, policy);
    if (standing !== undefined) return standing;
  }
  return exposed('NotLive', () => `${holds(reading, policy)}: the agent of its node tries again`);
}

function isClaimedTwice({ state, reason }: Reading): Standing | undefined {
  return state === 'contested'
    ? exposed(
        'ClaimedTwice',
        () =>
          `its status and that of ${reason} lead to the same processes of the node, so nothing is changed there, and ` +
          'nothing put back: find out who wrote containers of another pod into a status, which only kubelets should do',
      )
    : undefined;
}

const inSandbox: Readonly<Record<SandboxRuntime, string>> = {
  gVisor:
    "gVisor runs it, with a network of its own that the host's kernel does not serve and that starts with 7200/75/9 whatever a " +
    'spec says: set keepalive in the program, or run it with another runtimeClassName',
  Kata:
    "a virtual machine of Kata runs it, whose kernel the host's does not reach: it starts with the sysctls of its spec, so recreate " +
    'it where those are not enough, and let its program ask for keepalive',
};

function isSandboxed({ sandbox }: Reading): Standing | undefined {
  return sandbox && exposed('NotReachable', () => inSandbox[sandbox]);
}

function hasNoProcess({ state }: Reading): Standing | undefined {
  return state === 'absent'
    ? exposed(
        'NotReachable',
        () =>
          'no process of it is found on its node: in a sandbox with a kernel of its own, set keepalive in the program; otherwise see ' +
          'there whether the control groups of its processes (/proc/PID/cgroup) name it by its uid, and where they do not, let kubelet ' +
          'and container runtime use one cgroup driver',
      )
    : undefined;
}

function cannotBeNoted({ state, reason = '' }: Reading): Standing | undefined {
  if (state !== 'failed' || !reason.startsWith(ledgerFault)) return undefined;
  return exposed(
    'NotNoted',
    () =>
      `what its network was found with cannot be noted on its node (${reason.slice(ledgerFault.length)}), so nothing is ` +
      'changed there: make room in /run of the node, and let the agent write to its folder',
  );
}

function cannotBeEntered({ state, reason }: Reading): Standing | undefined {
  return state === 'failed'
    ? exposed(
        'NotReachable',
        () =>
          `its network namespace cannot be entered (${reason}): see the log of the agent on its node, and whether ` +
          'the DaemonSet still has the capabilities that its manifest asks for' +
          (reason === 'EACCES' ? ', and its AppArmor profile Unconfined and SELinux type spc_t' : ''),
      )
    : undefined;
}

function lacksAValue({ faults }: Reading): Standing | undefined {
  const missing = faults.find(({ code }) => code === 'ENOENT');
  return (
    missing && exposed('Unsupported', () => `the kernel of its node has no ${sysctlNames[missing.key]} here`)
  );
}

function isOnlyAudited(reading: Reading, policy: EffectivePolicy): Standing | undefined {
  return policy.spec.mode === 'Audit'
    ? exposed(
        'NotEnforced',
        () => `${holds(reading, policy)}: ${whoWouldAct(policy)} would set ${shorthand(policy.effective)}`,
      )
    : undefined;
}

function refusesToBeWritten(reading: Reading, policy: EffectivePolicy): Standing | undefined {
  const [refused] = reading.faults;
  return (
    refused &&
    exposed(
      'WriteRefused',
      () =>
        `${holds(reading, policy)}, and ${sysctlNames[refused.key]} cannot be changed (${refused.code}): ` +
        "see whether the agent's mount of the host's proc is writable",
    )
  );
}

function isSetBack(reading: Reading): Standing | undefined {
  const { override } = reading;
  return override && exposed('Overridden', () => overrideMessage(override));
}

/** Said of a live pod too: the next minute it may not be. */
export function overrideMessage({
  key,
  seen,
  times,
  holdUntilMs,
  lastMs,
}: NonNullable<Reading['override']>): string {
  const what = `something else set ${sysctlNames[key]} to ${seen}, ${times === 1 ? 'once' : `${times} times`} of late`;
  const hint = 'find what writes it, such as a sysctl script of its image or a tuning service of the node';
  return holdUntilMs > lastMs
    ? `${what}; it is left for a while each time before it is put right: ${hint}`
    : `${what}, and it was put right: ${hint}`;
}

function holds({ now }: Reading, { effective }: EffectivePolicy): string {
  const triple = tripleOf(now);
  const what = triple === undefined ? 'not all of the values' : shorthand(triple);
  return `the kernel holds ${what}, which is not enough behind ${effective.idleTimeoutSeconds} s`;
}

function exposed(reason: string, say: () => string): Standing {
  return { is: 'exposed', reason, say };
}

export function podFinding(
  pod: PodSelection['pod'],
  policy: EffectivePolicy,
  { reason, say }: Pick<Draft, 'reason' | 'say'>,
): Draft {
  return { reason, ...whereabouts(pod, policy), say };
}
