import { crdOf, kinds } from '../../../src/api/crd.ts';
import { plurals } from '../../../src/api/group.ts';
import { readSettings } from '../../../src/api/settings.ts';
import { known } from '../../../src/cli/cluster.ts';
import type { DoctorFacts } from '../../../src/cli/doctor-facts.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { staticAdmission } from '../../../src/policy/installation.ts';
import type { Homes } from '../../../src/policy/webhook.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import { nat } from '../../support/builder.ts';

export const nowMs = Date.UTC(2026, 0, 1, 12);
export const secondsAgo = (seconds: number) => new Date(nowMs - seconds * 1000).toISOString();

export interface Sketch {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: object;
    readonly annotations?: object;
  };
  readonly [field: string]: unknown;
}
/** As the API server sends it. */
export const object = ({ metadata, ...fields }: Sketch) =>
  ({
    metadata: { uid: metadata.name, resourceVersion: '1', ...metadata },
    ...fields,
  }) as unknown as KubeObject;
export const objects = (...sketches: readonly Sketch[]) => known(sketches.map(object));

export const labelsOf = (component: string) => ({
  'app.kubernetes.io/name': 'keepalive-operator',
  'app.kubernetes.io/component': component,
});
export const [agents, home] = ['keepalive-agent', 'keepalive-system'];
export const agentSet = (ready: number, template: object = {}): Sketch => ({
  metadata: { name: 'keepalive-agent', namespace: agents, labels: labelsOf('agent') },
  spec: { template: { metadata: { labels: labelsOf('agent') }, spec: template } },
  status: { desiredNumberScheduled: 1, numberReady: ready },
});
export const agentPod = (status: object, name = 'agent-1'): Sketch => ({
  metadata: { name, namespace: agents, labels: labelsOf('agent') },
  spec: { nodeName: 'n1' },
  status,
});
export const isReady = { conditions: [{ type: 'Ready', status: 'True' }] };
export const deployment = (replicas: number, readyReplicas: number): Sketch => ({
  metadata: { name: 'keepalive-controller', namespace: home, labels: labelsOf('controller') },
  spec: { replicas },
  status: { readyReplicas },
});
export const lease = (name: string, seconds: number): Sketch => ({
  metadata: { name },
  spec: { holderIdentity: name, renewTime: secondsAgo(seconds), leaseDurationSeconds: 15 },
});
export const failedCreate = (message: string, of = 'keepalive-agent'): Sketch => ({
  metadata: { name: 'event', namespace: agents },
  ...{ message, involvedObject: { kind: 'DaemonSet', name: of }, lastTimestamp: secondsAgo(1) },
});

/** Controller and agents, where somebody put them. */
export function installedIn({ controller, agents: elsewhere }: Homes): Partial<DoctorFacts> {
  const moved = ({ metadata, ...rest }: Sketch, namespace: string) => ({
    ...rest,
    metadata: { ...metadata, namespace },
  });
  return {
    deployments: objects(moved(deployment(2, 2), controller)),
    daemonSets: objects(moved(agentSet(1), elsewhere)),
  };
}

/** The same with a controller that is told that there are no agents, and none. */
export function withoutAgents(): Partial<DoctorFacts> {
  const containers = [{ env: [{ name: 'AGENTS', value: 'none' }] }];
  const told = { replicas: 2, template: { spec: { containers } } };
  return { deployments: objects({ ...deployment(2, 2), spec: told }), daemonSets: objects() };
}

/** What Helm writes on each object of a release, beside what the chart has there. */
export const released = (release = 'nets', namespace = 'platform') => ({
  labels: { 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/instance': release },
  annotations: { 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': namespace },
});

/** Controller and agents, with what somebody wrote on them who installed them. */
export function installedBy({ labels, annotations }: Marks): Partial<DoctorFacts> {
  const marked = ({ metadata, ...rest }: Sketch) => ({
    ...rest,
    metadata: { ...metadata, labels: { ...metadata.labels, ...labels }, annotations: { ...annotations } },
  });
  return { deployments: objects(marked(deployment(2, 2))), daemonSets: objects(marked(agentSet(1))) };
}

interface Marks {
  readonly labels?: object;
  readonly annotations?: object;
}

export const mutating = [...staticAdmission.policies, ...staticAdmission.witnesses];
export const [fencePolicy, fenceBinding] = staticAdmission.fence;
export const fine: DoctorFacts = {
  ...{ version: '0.1.0', nowMs, homes: [agents, home] },
  server: known({ gitVersion: 'v1.37.2', dateMs: nowMs }),
  ownKinds: known(Object.values(plurals)),
  admissionKinds: known(['mutatingadmissionpolicies', 'validatingadmissionpolicies']),
  crds: {
    KeepalivePolicy: known(object(crdOf(kinds.KeepalivePolicy) as never)),
    ClusterKeepalivePolicy: known(object(crdOf(kinds.ClusterKeepalivePolicy) as never)),
    NodeKeepalive: known(object(crdOf(kinds.NodeKeepalive) as never)),
  },
  mutatingPolicies: objects(...(mutating as readonly Sketch[])),
  mutatingBindings: objects(...(staticAdmission.bindings as readonly Sketch[])),
  webhook: known(undefined),
  validatingPolicies: objects(fencePolicy),
  validatingBindings: objects(fenceBinding),
  policies: known([]),
  settings: known(readSettings({})),
  deployments: objects(deployment(2, 2)),
  daemonSets: objects(agentSet(1)),
  pods: objects(agentPod(isReady)),
  events: objects(),
  leases: objects(lease('keepalive-controller', 3)),
  nodes: objects({ metadata: { name: 'n1', labels: { 'kubernetes.io/os': 'linux' } }, status: isReady }),
  reports: objects({
    metadata: { name: 'n1' },
    status: { agentVersion: '0.1.0', connections: { by: 'BPF', countedBy: 'BPF' } },
  }),
  nodeLeases: objects(lease('n1', 8)),
  namespaces: objects({
    metadata: { name: agents, labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
  }),
  constraints: undefined,
  kyvernoPolicies: objects(),
};

export const edited = (spec: unknown) => ({ ...(staticAdmission.bindings[0] as unknown as Sketch), spec });
export const cloud = policyRecord('ClusterKeepalivePolicy', {
  metadata: { name: 'cloud', uid: 'cloud', generation: 1 },
  spec: { podSelector: {}, path: nat(90) },
});
export const kyvernoRule = (pattern: object, failureAction = 'Enforce'): Sketch => ({
  kind: 'ClusterPolicy',
  metadata: { name: 'restrict-sysctls' },
  spec: {
    rules: [{ match: { any: [{ resources: { kinds: ['*'] } }] }, validate: { failureAction, pattern } }],
  },
});
export const onlyNames = (name: string) => ({ spec: { securityContext: { sysctls: [{ name }] } } });

/** Of somebody without any right. */
const why = { known: false, why: 'you may not' } as const;
export const blind: Partial<DoctorFacts> = {
  ...{
    server: why,
    webhook: why,
    ownKinds: why,
    admissionKinds: why,
    mutatingPolicies: why,
    mutatingBindings: why,
  },
  ...{ crds: { KeepalivePolicy: why, ClusterKeepalivePolicy: why, NodeKeepalive: why } },
  ...{ validatingPolicies: why, validatingBindings: why, policies: why, settings: why, deployments: why },
  ...{ daemonSets: why, pods: why, events: why, leases: why, nodes: why, reports: why, nodeLeases: why },
  ...{ namespaces: why, constraints: why, kyvernoPolicies: why },
};
