import type { PolicyKind } from '../api/group.ts';
import { API_VERSION, GROUP, OPERATOR_LABELS, plurals, SKIP_LABEL } from '../api/group.ts';
import { ADMISSION_API_VERSION, newPods } from './admission.ts';
import { matchConstraints } from './match-constraints.ts';

/**
 * How an API server is asked what it knows of a policy. A witness is an admission policy with the same kind of parameters
 * as the one that changes pods. An API server keeps one informer for each kind of parameters, and takes up all
 * policies and bindings in one pass (k8s.io/apiserver, admission/plugin/policy/generic, policySource), so what the witness
 * sees the other sees. Its binding names the policy that is asked about; a pod that is only made in a dry run comes back with
 * the version of that policy which the API server had at hand.
 */
export const witnessNames: Readonly<Record<PolicyKind, string>> = {
  KeepalivePolicy: `keepalivepolicy.witness.${GROUP}`,
  ClusterKeepalivePolicy: `clusterkeepalivepolicy.witness.${GROUP}`,
};

/**
 * As a label of the pod: which binding has to have been taken up for it to come back changed. As an annotation of
 * what comes back: what was seen.
 */
function markOf(kind: PolicyKind): string {
  return `witness.${GROUP}/${plurals[kind]}`;
}

const questionMark = `witness.${GROUP}/question`;
/** Where there is no binding that names the policy which is asked about, the question does. */
function subjectMark(kind: PolicyKind): string {
  return `witness.${GROUP}/of-${plurals[kind]}`;
}

/** Pods that ask, and every other one not: a webhook is not called for those. */
export const questionSelector = { matchExpressions: [{ key: questionMark, operator: 'Exists' }] };

/** A pod that is only made to ask, as far as it says itself. */
export const question = {
  name: 'question',
  expression: 'request.?dryRun.orValue(false) && has(object.metadata.annotations)',
};

/** The MutatingAdmissionPolicy that tells, as it stands in deploy/. It changes nothing that is stored. */
export function witnessPolicyOf(kind: PolicyKind) {
  const path = `/metadata/annotations/${markOf(kind).replaceAll('/', '~1')}`;
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: witnessNames[kind], labels: OPERATOR_LABELS },
    spec: {
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'Never',
      paramKind: { apiVersion: API_VERSION, kind },
      matchConstraints: matchConstraints([newPods()], {
        // What keeps it off every other pod is this: it costs them nothing to speak of.
        objectSelector: { matchExpressions: [{ key: markOf(kind), operator: 'Exists' }] },
      }),
      matchConditions: [question],
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: `[JSONPatch{op: 'add', path: '${path}', value: params.metadata.uid + '/' + params.metadata.resourceVersion}]`,
          },
        },
      ],
    },
  };
}

/** The policy that is asked about. */
export interface Subject {
  readonly kind: PolicyKind;
  /** Empty for a cluster policy. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The version that has to be seen, or a later one. */
  readonly resourceVersion: string;
}

export interface WitnessBinding {
  /** Of this binding alone: what comes back to a pod that carries it was answered by no older one. */
  readonly nonce: string;
  /** Where questions are asked. */
  readonly namespace: string;
  /** Of the MutatingAdmissionPolicy of the witness, which it goes with. */
  readonly ownerUid: string;
}

/** Binds the witness of a kind to one policy, wherever that is, for pods of the operator's own namespace. */
export function witnessBinding(
  { kind, namespace: of, name }: Subject,
  { nonce, namespace, ownerUid }: WitnessBinding,
) {
  const owner = witnessNames[kind];
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: {
      name: owner,
      labels: OPERATOR_LABELS,
      ownerReferences: [
        { apiVersion: ADMISSION_API_VERSION, kind: 'MutatingAdmissionPolicy', name: owner, uid: ownerUid },
      ],
    },
    spec: {
      policyName: owner,
      paramRef: { name, parameterNotFoundAction: 'Allow', ...(of === '' ? {} : { namespace: of }) },
      matchResources: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        objectSelector: { matchLabels: { [markOf(kind)]: nonce } },
        matchPolicy: 'Equivalent',
      },
    },
  };
}

/** What is asked of a kind. */
export interface Question {
  readonly kind: PolicyKind;
  readonly nonce: string;
  readonly subject: Pick<Subject, 'namespace' | 'name'>;
}

/** What a question is asked with: nothing that anybody has a rule against, and nothing that any of our policies acts on. */
export function witnessPod(questions: readonly Question[]) {
  const marks = questions.map(({ kind, nonce }) => [markOf(kind), nonce] as const);
  const subjects = questions.map(({ kind, subject }) => [subjectMark(kind), keyOf(subject)] as const);
  const resources = { cpu: '1m', memory: '1Mi' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'keepalive-witness',
      labels: {
        ...OPERATOR_LABELS,
        [SKIP_LABEL]: 'true',
        [questionMark]: 'asked',
        ...Object.fromEntries(marks),
      },
      // A patch can add to a map that is there.
      annotations: { [questionMark]: 'of a dry run', ...Object.fromEntries(subjects) },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      // Of no user: OpenShift refuses all but those of the namespace, and then nobody would know whether admission answers.
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'none',
          image: 'keepalive.dev/none:0',
          resources: { requests: resources, limits: resources },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  };
}

interface AnsweredPod {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** As policies go by in a store. */
function keyOf({ namespace, name }: Pick<Subject, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

interface Known {
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
}

/** What a webhook adds to the annotations of a pod that asks: the versions that it knows of what it is asked about. */
export function answersTo(
  annotations: Readonly<Record<string, string>>,
  policyOf: (kind: PolicyKind, key: string) => Known | undefined,
): Readonly<Record<string, string>> {
  const kinds = ['KeepalivePolicy', 'ClusterKeepalivePolicy'] as const;
  const answers = kinds.flatMap((kind) => {
    const known = policyOf(kind, annotations[subjectMark(kind)] ?? '');
    return known?.resourceVersion === undefined
      ? []
      : [[markOf(kind), `${known.uid}/${known.resourceVersion}`] as const];
  });
  return Object.fromEntries(answers);
}

/** What a pod that came back says of a kind: nothing, where the API server does not act for that kind, or not yet. */
export function seenIn(
  { metadata }: AnsweredPod,
  kind: PolicyKind,
): Pick<Subject, 'uid' | 'resourceVersion'> | undefined {
  const [uid, resourceVersion] = metadata.annotations?.[markOf(kind)]?.split('/') ?? [];
  return uid === undefined || resourceVersion === undefined ? undefined : { uid, resourceVersion };
}

/** Whether what was seen is that policy, as it was written or later. */
export function isSeen(
  subject: Pick<Subject, 'uid' | 'resourceVersion'>,
  seen: Pick<Subject, 'uid' | 'resourceVersion'> | undefined,
): boolean {
  return seen?.uid === subject.uid && !isLater(subject.resourceVersion, seen.resourceVersion);
}

const digits = /^[0-9]+$/;

/** Versions of one kind are numbers that grow (KEP-5504, stable since 1.35). */
function isLater(one: string, other: string): boolean {
  if (!digits.test(one) || !digits.test(other)) return one !== other;
  return BigInt(one) > BigInt(other);
}

/** Of several, the one that was written last: who knows it knows the others of its kind. */
export function latest(
  candidates: readonly (Omit<Subject, 'resourceVersion'> & {
    readonly resourceVersion?: string | undefined;
  })[],
): Subject | undefined {
  const [first, ...others] = candidates.flatMap(({ kind, namespace, name, uid, resourceVersion }) =>
    resourceVersion === undefined ? [] : [{ kind, namespace, name, uid, resourceVersion }],
  );
  return (
    first &&
    others.reduce((one, other) => (isLater(other.resourceVersion, one.resourceVersion) ? other : one), first)
  );
}

const fenceName = `dry-run.${GROUP}`;

/**
 * The right to create pods, which asking takes, ends at dry runs. Whom it binds is told by rights and not by a name, which
 * an overlay may change: a service account of the namespace, which writes the statuses of policies and may not change
 * pods. Administrators and whatever else makes pods there are not meant.
 */
export function fencePolicy(namespace: string) {
  const may = (check: string) => `authorizer.${check}.allowed()`;
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: fenceName, labels: OPERATOR_LABELS },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: matchConstraints([newPods()], {
        // Where the operator is installed: no other namespace has to do with this rule, whatever becomes of it. By its name,
        // which the API server sees to: no label of its own can be forgotten or taken away.
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      }),
      matchConditions: [
        {
          name: 'own-service-account',
          expression:
            "request.userInfo.username.startsWith('system:serviceaccount:' + request.namespace + ':')",
        },
        {
          name: 'may-only-ask',
          expression: [
            may(
              `group('${GROUP}').resource('${plurals.KeepalivePolicy}').subresource('status').namespace(request.namespace).check('patch')`,
            ),
            `!${may("group('').resource('pods').namespace(request.namespace).check('update')")}`,
          ].join(' && '),
        },
      ],
      validations: [
        {
          expression: 'request.?dryRun.orValue(false)',
          message:
            'this service account may create pods in dry runs only, to ask how the API server would change them',
        },
      ],
    },
  };
}

export function fenceBinding() {
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: fenceName, labels: OPERATOR_LABELS },
    spec: { policyName: fenceName, validationActions: ['Deny'] },
  };
}
