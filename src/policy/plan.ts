import { isDeepStrictEqual } from 'node:util';

import type { Verdict } from '../api/condition.ts';
import { conditionsOf } from '../api/condition.ts';
import type { PolicyKind } from '../api/group.ts';
import type { PolicyStatus } from '../api/status.ts';
import type { ClusterBinding } from './admission.ts';
import { admissionPolicyNames, clusterBinding } from './admission.ts';
import type { Assessment, Neighbourhood } from './assess.ts';
import { assess } from './assess.ts';
import type { EffectivePolicy, Policy } from './policy.ts';
import type { PolicyRecord } from './record.ts';
import type { NodeFacts } from './rollup.ts';
import { awaitingReason, awaitingVerdict, readyVerdict } from './verdict.ts';

/** A binding as the cluster holds it, as far as it is ours to say. */
export interface BindingRecord {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly unknown[];
  readonly spec: unknown;
}

/** All that one decision may depend on. */
export interface Circumstances {
  readonly record: PolicyRecord;
  readonly neighbourhoods: Iterable<Neighbourhood>;
  readonly others: readonly Policy[];
  /** Names of admission objects that the installation needs and that are not there. */
  readonly missingAdmission: readonly string[];
  readonly binding: BindingRecord | undefined;
  readonly facts: NodeFacts;
  readonly now: Date;
}

export type BindingStep =
  | { readonly do: 'keep' }
  | { readonly do: 'create'; readonly binding: ClusterBinding }
  | { readonly do: 'replace'; readonly binding: ClusterBinding; readonly present: BindingRecord }
  | { readonly do: 'delete'; readonly present: BindingRecord };

export interface Plan {
  readonly binding: BindingStep;
  readonly verdict: Verdict;
  readonly status: PolicyStatus;
  /** Look again then, although nothing may have changed. */
  readonly againAfterMs: number | undefined;
}

/**
 * How long a policy is called Reconciling after it changed: the API server takes up new bindings once a
 * second (k8s.io/apiserver admission/plugin/policy/generic, policy refresh), and times in conditions are cut
 * to whole seconds. A pod created once the policy is Ready is covered.
 */
export const activationMs = 3000;

/** Everything that has to be done for one policy. */
export function plan(circumstances: Circumstances): Plan {
  const { record, now } = circumstances;
  const obstacle = obstacleOf(circumstances);
  const policy = record.policy;
  if (obstacle !== undefined || !isEffective(policy)) {
    const verdict = obstacle ?? noEffect;
    return {
      binding: { do: 'keep' },
      verdict,
      againAfterMs: undefined,
      status: statusOf(record, verdict, now, isEffective(policy) ? { effective: policy.effective } : {}),
    };
  }
  const binding = bindingStep(record, policy, circumstances.binding);
  const assessed = assess(policy, { generation: record.generation, ...circumstances });
  const { awaited, findings, findingsTotal, ...counts } = assessed;
  const { verdict, againAfterMs } = activation(record, policy, {
    ...{ binding, awaited, now },
    anyAgent: circumstances.facts.anyAgent,
  });
  const facts = {
    effective: policy.effective,
    ...known(counts),
    ...(findingsTotal === 0 ? {} : { findings: [...findings], findingsTotal }),
  };
  return { binding, verdict, againAfterMs, status: statusOf(record, verdict, now, facts) };
}

/** Without what is undefined, which is not the same as what is not there. */
function known(counts: Pick<Assessment, 'pods' | 'nodes' | 'hosts' | 'connections'>): Partial<PolicyStatus> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined));
}

/** The status where a step failed that the operator will try again. */
export function setback({ record, now }: Circumstances, planned: Plan, message: string): PolicyStatus {
  const { observedGeneration: _generation, conditions: _conditions, ...facts } = planned.status;
  return statusOf(record, { kind: 'reconciling', reason: 'BindingFailed', message }, now, facts);
}

function isEffective(policy: Policy | undefined): policy is EffectivePolicy {
  return policy?.effective !== undefined;
}

/** Whether admission has anything to do for it. */
function actsOnPods({ spec }: Policy): boolean {
  return spec.mode === 'Enforce' && spec.podSelector !== undefined;
}

/** Only an object stored before a rule existed gets here: the API server refuses such a spec. */
const noEffect: Verdict = {
  kind: 'stalled',
  reason: 'InvalidSpec',
  message: 'spec.path gives no values: declare at least one hop that follows packets',
};

/** What keeps the policy from acting until a person does something. */
function obstacleOf({ record, missingAdmission }: Circumstances): Verdict | undefined {
  if (record.problems !== undefined) {
    return {
      kind: 'stalled',
      reason: 'InvalidSpec',
      message: `the spec cannot be read: ${record.problems}; correct it and apply it again`,
    };
  }
  if (missingAdmission.length > 0 && (record.policy === undefined || actsOnPods(record.policy))) {
    return {
      kind: 'stalled',
      reason: 'AdmissionMissing',
      message: `${missingAdmission.join(', ')} is not installed, so no new pod is changed: apply the manifests of the operator again`,
    };
  }
  return undefined;
}

function bindingStep(record: PolicyRecord, policy: Policy, present: BindingRecord | undefined): BindingStep {
  const { kind, name, uid } = record;
  const wanted =
    kind === 'ClusterKeepalivePolicy' ? clusterBinding({ name, uid, spec: policy.spec }) : undefined;
  if (wanted === undefined) return present === undefined ? { do: 'keep' } : { do: 'delete', present };
  if (present === undefined) return { do: 'create', binding: wanted };
  return isAsWanted(present, wanted) ? { do: 'keep' } : { do: 'replace', binding: wanted, present };
}

/** Other labels may stand beside ours; of the spec and the owners every word counts. */
function isAsWanted(present: BindingRecord, wanted: ClusterBinding): boolean {
  return (
    isDeepStrictEqual(present.spec, wanted.spec) &&
    isDeepStrictEqual(present.ownerReferences, wanted.metadata.ownerReferences) &&
    Object.entries(wanted.metadata.labels).every(([key, value]) => present.labels[key] === value)
  );
}

interface Progress {
  readonly binding: BindingStep;
  readonly awaited: readonly string[];
  readonly anyAgent: boolean;
  readonly now: Date;
}

/** Ready once the API server must have taken up the last change, and the agents say that they have. */
function activation(
  record: PolicyRecord,
  policy: EffectivePolicy,
  progress: Progress,
): Pick<Plan, 'verdict' | 'againAfterMs'> {
  const remainingMs = actsOnPods(policy) ? remainingActivationMs(record, policy, progress) : 0;
  if (remainingMs > 0) {
    const message = 'The API server is taking up the change; pods created now may still start without it';
    return { verdict: { kind: 'reconciling', reason: 'Activating', message }, againAfterMs: remainingMs };
  }
  // Where it was Ready once, a node that comes, or comes back, only shows in the counts: it must not flap.
  const verdict =
    progress.awaited.length === 0 || wasReady(record)
      ? readyVerdict(policy, progress.anyAgent)
      : awaitingVerdict(progress.awaited, record.generation);
  return { verdict, againAfterMs: undefined };
}

function wasReady({ status, generation }: PolicyRecord): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return status.observedGeneration === generation && ready?.status === 'True';
}

function remainingActivationMs(
  { status, generation }: PolicyRecord,
  { effective }: EffectivePolicy,
  { binding, now }: Progress,
): number {
  const settled =
    binding.do === 'keep' &&
    !(status.conditions ?? []).some(({ type }) => type === 'Stalled') &&
    status.observedGeneration === generation &&
    isDeepStrictEqual(status.effective, effective);
  if (!settled) return activationMs;
  const reconciling = status.conditions?.find(({ type }) => type === 'Reconciling');
  if (reconciling === undefined || reconciling.reason === awaitingReason) return 0;
  // Whoever wrote the time may have had a clock ahead of ours.
  return Math.min(activationMs, activationMs - (now.getTime() - Date.parse(reconciling.lastTransitionTime)));
}

function statusOf(
  record: PolicyRecord,
  verdict: Verdict,
  now: Date,
  facts: Partial<PolicyStatus>,
): PolicyStatus {
  const { generation, status } = record;
  // Work on another generation, or begun anew, is a transition of its own.
  const previous = (status.conditions ?? []).filter(
    ({ type, observedGeneration, reason }) =>
      type !== 'Reconciling' || (observedGeneration === generation && reason === verdict.reason),
  );
  return {
    observedGeneration: generation,
    ...facts,
    conditions: conditionsOf(verdict, { generation, now, previous }),
  };
}

/** Names that can be asked for; a set is one, and so is a store, without listing it for each question. */
interface Names {
  has(name: string): boolean;
}

/** What is missing of what the manifests install, for a kind of policy. */
export function missingAdmission(
  kind: PolicyKind,
  installed: { readonly policies: Names; readonly bindings: Names },
): string[] {
  const name = admissionPolicyNames[kind];
  return [
    ...(installed.policies.has(name) ? [] : [`MutatingAdmissionPolicy ${name}`]),
    ...(kind === 'ClusterKeepalivePolicy' || installed.bindings.has(name)
      ? []
      : [`MutatingAdmissionPolicyBinding ${name}`]),
  ];
}
