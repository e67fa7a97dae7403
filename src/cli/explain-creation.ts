import { OWN_VALUES_ANNOTATION, REQUIREMENT_ANNOTATION } from '../api/group.ts';
import { shorthand } from '../api/triple.ts';
import { parseRequirement } from '../policy/admitted.ts';
import { meets } from '../policy/enough.ts';
import { someOf } from '../policy/finding.ts';
import type { NodePod } from '../policy/node-pod.ts';
import type { NamespaceView } from '../policy/pod.ts';
import { describePolicy } from '../policy/policy.ts';
import type { Requirement } from '../policy/requirement.ts';
import { valuesFor } from '../policy/requirement.ts';
import type { Skip } from '../policy/skip.ts';
import { skipOf } from '../policy/skip.ts';
import { withheldOf } from '../policy/withholding.ts';
import type { PodFacts } from './explain-facts.ts';
import type { Selecting } from './explain-policies.ts';
import { selectsItsNetwork } from './explain-selection.ts';
import type { Statement } from './explanation.ts';
import { fine, note, unknown, wrong } from './explanation.ts';

type Made = Pick<PodFacts, 'pod' | 'raw' | 'namespace' | 'unaskedIn' | 'node'>;

/** What became of it at its creation; what is not changed in the kernel since is what it still has. */
export function creationStatements(
  facts: Made,
  selecting: readonly Selecting[],
  requirement: Requirement | undefined,
): Statement[] {
  const { pod, raw, namespace } = facts;
  const view = namespace.known ? namespace.value : { name: pod.namespace, labels: {} };
  const skip = skipOf(pod, view);
  const isBlind = !namespace.known && skip === undefined;
  return [
    ...(isBlind ? [unknown(`whether its namespace lets the values pass: ${namespace.why}`)] : []),
    ...(skip === undefined ? [] : [skipped(skip, selecting, facts)]),
    ...refusals(selecting, view),
    specStatement(facts, requirement, skip),
    ...(skip === undefined ? [noteOfAdmission({ pod, raw, selecting, requirement })] : []),
  ];
}

function skipped({ reason, advice }: Skip, selecting: readonly Selecting[], facts: Made): Statement {
  const left = `admission leaves it as it is (${reason})`;
  const forNode = selecting.map(({ policy }) => policy).filter((policy) => selectsItsNetwork(policy, facts));
  if (reason === 'HostNetwork' && forNode.length > 0)
    return note(
      `${left}: it uses its node's own network, which ${someOf(forNode.map(describePolicy))} selects`,
    );
  const text = `${left}: ${advice}`;
  // Whoever asked for it to be left alone has what he asked for, and nobody minds where no policy is for it.
  return selecting.length === 0 || reason === 'SkipLabel' ? note(text) : wrong(text, `${reason}: ${advice}`);
}

/** Something else refused pods of its namespace, and admission gives way there. */
function refusals(selecting: readonly Selecting[], { name }: NamespaceView): Statement[] {
  return selecting.flatMap(({ record }) =>
    withheldOf(record.status.refusals ?? [])
      .filter(({ namespace }) => namespace === name)
      .map(({ by, message }) =>
        wrong(
          `${by} refuses pods with the values in namespace ${name} ("${message}"), so admission leaves new ones as they are for ${record.kind} ${record.name}`,
          `have ${by} allow the three sysctls net.ipv4.tcp_keepalive_*`,
        ),
      ),
  );
}

/** What its kernel starts with, whoever put it there. */
function specStatement(
  { pod, unaskedIn }: Pick<PodFacts, 'pod' | 'unaskedIn'>,
  requirement: Requirement | undefined,
  skip: Skip | undefined,
): Statement {
  if (pod.hostNetwork || pod.windows) return note('its spec declares nothing: a pod of this kind cannot');
  if (pod.declared === undefined)
    return unknown(
      'what its spec starts it with: a keepalive sysctl of it is no plain whole number, which is left to the kernel',
    );
  const starts = `its spec starts it with ${shorthand(pod.declared)}`;
  if (requirement === undefined) return note(starts);
  const limit = `behind ${requirement.idleTimeoutSeconds} s`;
  if (meets(pod.declared, requirement)) return fine(`${starts}, which is enough ${limit}`);
  return note(
    `${starts}, which is not enough ${limit}${skip === undefined ? recreated(pod, unaskedIn) : ''}`,
  );
}

/** By what new pods are changed nobody asks here. */
function recreated({ namespace }: NodePod, unaskedIn: readonly string[]): string {
  const would = ': recreated, it would start with what is asked';
  return unaskedIn.includes(namespace)
    ? `${would}, but where a webhook changes new pods, which is not asked about this namespace`
    : would;
}

interface Noted {
  readonly pod: NodePod;
  readonly raw: PodFacts['raw'];
  readonly selecting: readonly Selecting[];
  readonly requirement: Requirement | undefined;
}

/** Admission notes what it did; whoever makes a pod can write such notes too, so they are only quoted. */
function noteOfAdmission({ pod, raw, selecting, requirement }: Noted): Statement {
  const { annotations = {} } = raw.metadata ?? {};
  const then = parseRequirement(annotations[REQUIREMENT_ANNOTATION]);
  if (then === undefined) return untouched(pod, selecting, requirement);
  const asked = `behind ${then.idleTimeoutSeconds} s asks for ${shorthand(valuesFor(then))}`;
  const own = annotations[OWN_VALUES_ANNOTATION];
  if (own === undefined) return fine(`admission found its own values to be enough (what it noted: ${asked})`);
  const before = pod.changedFrom === undefined ? 'nothing' : `${pod.changedFrom} (time/interval/probes)`;
  return fine(`admission put the values into it, where its spec said ${before} (what it noted: ${asked})`);
}

function untouched(
  pod: NodePod,
  selecting: readonly Selecting[],
  requirement: Requirement | undefined,
): Statement {
  if (requirement === undefined) return note('admission has not changed it: no policy that acts is for it');
  const acting = selecting.filter(({ inactive }) => inactive === undefined);
  const since = Math.min(...acting.map(({ record }) => inForceSinceMs(record.status)));
  const isOlder = pod.createdAtMs !== undefined && pod.createdAtMs <= since;
  return note(
    isOlder
      ? 'admission has not changed it: it is older than the policies that act on it'
      : 'admission has not changed it: it looked away (the API server had just started, something refused pods, or the labels of the pod are newer than it is)',
  );
}

function inForceSinceMs({ conditions = [] }: Selecting['record']['status']): number {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? Date.parse(ready.lastTransitionTime) : Infinity;
}
