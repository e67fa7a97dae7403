import type { PolicyKind } from '../api/group.ts';
import { API_VERSION, OPERATOR_LABELS, REQUIREMENT_ANNOTATION, SKIP_LABEL } from '../api/group.ts';
import type { LabelSelector } from '../api/selector.ts';
import type { ClusterKeepalivePolicySpec } from '../api/spec.ts';
import type { Expression } from './admission-derivation.ts';
import { mutation, variables } from './admission-values.ts';
import { matchConstraints } from './match-constraints.ts';
import { notWindowsCel } from './windows.ts';

/**
 * The decision of skip.ts and label-selector.ts once more, in CEL, for the API server to take while a pod is created;
 * admission-values.ts has the values. test/e2e/agreement.test.ts holds both against one table of pods.
 */

export const ADMISSION_API_VERSION = 'admissionregistration.k8s.io/v1';

/** The MutatingAdmissionPolicy of each kind. */
export const admissionPolicyNames: Readonly<Record<PolicyKind, string>> = {
  KeepalivePolicy: 'keepalivepolicy.keepalive.dev',
  ClusterKeepalivePolicy: 'clusterkeepalivepolicy.keepalive.dev',
};

/** What the policy has to say for any pod to be changed by it. */
const acts: readonly string[] = [
  'has(params.status)',
  'has(params.status.effective)',
  // A word that this version does not know holds what was understood before.
  "params.spec.?mode.orValue('Enforce') != 'Audit'",
  // The controller's word, for what cannot be seen from here: see withheld.ts.
  "params.status.?admission.orValue('Active') != 'Withheld'",
  // The same of one namespace: see withholding.ts.
  "!params.status.?refusals.orValue([]).exists(r, r.namespace == request.namespace && r.admission == 'Withheld')",
];

/** What a pod has to be for its sysctls to be changed by any policy. */
const mayChange: readonly string[] = [
  '!object.spec.?hostNetwork.orValue(false)',
  ...notWindowsCel,
  "!('kubernetes.io/config.mirror' in object.metadata.?annotations.orValue({}))",
  `object.metadata.?labels[?'${SKIP_LABEL}'].orValue('') != 'true'`,
];

/** An earlier policy changed it, or another mutation since: take-back.ts, and the mutation, tell whether that still holds. */
export const wasChanged = `object.metadata.?annotations[?'${REQUIREMENT_ANNOTATION}'].hasValue()`;

/** Only the namespaced kind asks here: for the cluster kind each binding has its selectors natively. */
const podSelected =
  'params.spec.podSelector.?matchLabels.orValue({}).all(k, object.metadata.?labels[?k] == optional.of(params.spec.podSelector.matchLabels[k])) && ' +
  'params.spec.podSelector.?matchExpressions.orValue([]).all(e, ' +
  "e.operator == 'In' ? object.metadata.?labels[?e.key].hasValue() && object.metadata.labels[e.key] in e.values : " +
  "e.operator == 'NotIn' ? !(object.metadata.?labels[?e.key].hasValue() && object.metadata.labels[e.key] in e.values) : " +
  "e.operator == 'Exists' ? object.metadata.?labels[?e.key].hasValue() : !object.metadata.?labels[?e.key].hasValue())";

/**
 * One condition in place of several: the API server evaluates every condition of a policy, each for every
 * parameter, even where the first is false already (k8s.io/apiserver, matchconditions.Match), while && stops.
 */
function condition(parts: readonly string[]): Expression {
  return {
    name: 'applies',
    expression: `${all([...parts, ...acts, ...mayChange])} ||\n${wasChanged} && !(${all(mayChange)})`,
  };
}

function all(parts: readonly string[]): string {
  return parts.map((part) => `(${part})`).join(' &&\n');
}

/** Whether any policy may change it. */
export const changeablePod = all(mayChange);

/** Pods as they are made: what runs already no admission changes. */
export function newPods() {
  return { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
}

/** The MutatingAdmissionPolicy of one kind, as it stands in deploy/. */
export function admissionPolicyOf(kind: PolicyKind) {
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: admissionPolicyNames[kind], labels: OPERATOR_LABELS },
    spec: {
      // A pod is never refused because of us.
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'IfNeeded',
      paramKind: { apiVersion: API_VERSION, kind },
      matchConstraints: matchConstraints([newPods()]),
      matchConditions: [condition(kind === 'KeepalivePolicy' ? [podSelected] : [])],
      variables: [{ name: 'mayChange', expression: all(mayChange) }, ...variables],
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: mutation } }],
    },
  };
}

/** The one binding of the namespaced kind: every policy of the namespace a pod is created in. */
export function namespacedBinding() {
  const name = admissionPolicyNames.KeepalivePolicy;
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name, labels: OPERATOR_LABELS },
    spec: { policyName: name, paramRef: { selector: {}, parameterNotFoundAction: 'Allow' } },
  };
}

/** The binding of a cluster policy; also what the API server fills in, so that it can be compared. */
export interface ClusterBinding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly object[];
  };
  readonly spec: unknown;
}

export function clusterBindingName(policy: string): string {
  return `${policy}.${admissionPolicyNames.ClusterKeepalivePolicy}`;
}

/** The policy that a binding of ours belongs to; `undefined` for any other binding. */
export function policyOfBinding(binding: string): string | undefined {
  const suffix = `.${admissionPolicyNames.ClusterKeepalivePolicy}`;
  return binding.endsWith(suffix) ? binding.slice(0, -suffix.length) : undefined;
}

/**
 * What a cluster policy wants bound; `undefined` where admission has nothing to do for it: it audits, selects
 * no pods, or has no values yet. Owned by the policy, so that it goes with it, operator or not.
 */
export function clusterBinding(policy: {
  readonly name: string;
  readonly uid: string;
  readonly spec: ClusterKeepalivePolicySpec;
}): ClusterBinding | undefined {
  const { name, uid, spec } = policy;
  if (spec.mode !== 'Enforce' || spec.podSelector === undefined) return undefined;
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: {
      name: clusterBindingName(name),
      labels: OPERATOR_LABELS,
      ownerReferences: [
        { apiVersion: API_VERSION, kind: 'ClusterKeepalivePolicy', name, uid, controller: true },
      ],
    },
    spec: {
      policyName: admissionPolicyNames.ClusterKeepalivePolicy,
      paramRef: { name, parameterNotFoundAction: 'Allow' },
      matchResources: {
        namespaceSelector: servedForm(spec.namespaceSelector),
        objectSelector: servedForm(spec.podSelector),
        matchPolicy: 'Equivalent',
      },
    },
  };
}

/** A binding never shows an empty map or list, a policy does: without this they would differ for ever. */
function servedForm({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): LabelSelector {
  return {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    ...(matchExpressions.length === 0
      ? {}
      : {
          matchExpressions: matchExpressions.map(({ key, operator, values = [] }) =>
            values.length === 0 ? { key, operator } : { key, operator, values },
          ),
        }),
  };
}
