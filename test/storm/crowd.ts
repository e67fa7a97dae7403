/** What a storm is made of, as the API server would have it: no object depends on anything but its number. */
import { AGENT_NAME, OPERATOR_LABELS } from '../../src/api/group.ts';
import type { KubeManifest } from '../../src/kube/resource.ts';
import { asDigest, fnv1a } from '../../src/policy/fnv.ts';

export interface Size {
  readonly nodes: number;
  readonly pods: number;
  readonly clusterPolicies: number;
  /** Namespaces, each with one policy of its own. */
  readonly teams: number;
}

export const resourceOf = {
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  nodes: { group: '', version: 'v1', plural: 'nodes' },
  pods: { group: '', version: 'v1', plural: 'pods' },
  serviceaccounts: { group: '', version: 'v1', plural: 'serviceaccounts' },
  clusterkeepalivepolicies: {
    group: 'keepalive.dev',
    version: 'v1alpha1',
    plural: 'clusterkeepalivepolicies',
  },
  keepalivepolicies: { group: 'keepalive.dev', version: 'v1alpha1', plural: 'keepalivepolicies' },
  nodekeepalives: { group: 'keepalive.dev', version: 'v1alpha1', plural: 'nodekeepalives' },
} as const;

const madeAt = '2026-05-04T10:00:00Z';
/** Of the n-th policy of the cluster, of a team. */
export const platformTarget = (index: number) => ({
  ...resourceOf.clusterkeepalivepolicies,
  name: platformName(index),
});
export const teamTarget = (index: number) => ({
  ...{ ...resourceOf.keepalivepolicies, namespace: teamName(index), name: 'own' },
});
export const nodeName = (index: number) => `node-${index}`;
export const teamName = (index: number) => `team-${index}`;
export const agentName = (index: number) => `agent-${index}`;
export const platformName = (index: number) => `platform-${index}`;

/** The n-th of one kind has a uid of its own that looks like any other. */
function uidOf(kind: string, index: number): string {
  const digits = (text: string, length: number) => Buffer.from(text).toString('hex').padEnd(length, '0');
  return `${digits(kind, 8).slice(0, 8)}-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

export function nodeObject(index: number): KubeManifest {
  return {
    ...{ apiVersion: 'v1', kind: 'Node' },
    metadata: {
      name: nodeName(index),
      uid: uidOf('node', index),
      creationTimestamp: madeAt,
      labels: { 'kubernetes.io/os': 'linux', pool: `pool-${index % 4}` },
    },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

export function namespaceObject(name: string): KubeManifest {
  return {
    ...{ apiVersion: 'v1', kind: 'Namespace' },
    metadata: { name, labels: { stage: Number(name.split('-')[1]) % 2 === 0 ? 'production' : 'test' } },
  };
}

export interface PodPlan {
  readonly index: number;
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
}

/** One of so many, by no rule that anything else here follows. */
export function mixed(what: string, index: number, count: number): number {
  // The lower bits of such a sum are too plain.
  return Math.floor((asDigest(fnv1a(`${index} of ${what}`)) / 2 ** 31) * count);
}

/** Ten pods in a row are a workload; its pods are anywhere, so that a node has pods of as many teams as it has pods. */
export function podPlan(index: number, { nodes, teams }: Size): PodPlan {
  const workload = Math.floor(index / 10);
  return {
    ...{ index, name: `workload-${workload}-6d4cf56db6-${index}` },
    namespace: teamName(workload % teams),
    node: nodeName(mixed('pod', index, nodes)),
  };
}

/** What a Deployment would make of a template of usual length. */
export function podObject({ index, name, namespace, node }: PodPlan): KubeManifest {
  const env = Array.from({ length: 8 }, (_, at) => ({
    name: `SETTING_${at}`,
    value: `value of setting ${at}`,
  }));
  const workload = name.split('-').slice(0, 2).join('-');
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name, namespace },
      labels: {
        ...{ app: workload, 'pod-template-hash': '6d4cf56db6', team: namespace },
        tier: `tier-${mixed('workload', Math.floor(index / 10), 10)}`,
      },
      annotations: { 'example.com/config-checksum': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495' },
    },
    spec: {
      ...{ nodeName: node, restartPolicy: 'Always', serviceAccountName: 'default' },
      // No kubelet will say that it has ended.
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [
        {
          ...{ name: 'main', image: 'registry.example.com/team/program:1.2.3', env },
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
        },
      ],
    },
  };
}

export const runningStatus = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [
    {
      ...{ name: 'main', image: 'program', imageID: '', ready: true, restartCount: 0 },
      state: { running: { startedAt: madeAt } },
    },
  ],
};

/** As it is stored once it runs. */
export function storedPod(plan: PodPlan): KubeManifest {
  const pod = podObject(plan);
  const metadata = { ...pod.metadata, uid: uidOf('pod', plan.index), creationTimestamp: madeAt };
  return { ...pod, metadata, status: runningStatus };
}

export function agentPod(index: number, daemonSetUid: string): KubeManifest {
  const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: AGENT_NAME, uid: daemonSetUid };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name: agentName(index), namespace: AGENT_NAME, uid: uidOf('agent', index) },
      creationTimestamp: madeAt,
      labels: { ...OPERATOR_LABELS, 'app.kubernetes.io/component': 'agent' },
      ownerReferences: [{ ...owner, controller: true }],
    },
    spec: {
      ...{ nodeName: nodeName(index), hostNetwork: true, serviceAccountName: AGENT_NAME },
      containers: [{ name: 'agent', image: 'keepalive.dev/keepalive-operator' }],
    },
    status: runningStatus,
  };
}

const timeouts = [90, 240, 350, 900];

/** The first enforces for all, the others audit: half of them what all have, half one tier. */
export function platformPolicy(index: number): KubeManifest {
  const tier = { podSelector: { matchLabels: { tier: `tier-${Math.floor(index / 2) % 10}` } } };
  return {
    ...{ apiVersion: 'keepalive.dev/v1alpha1', kind: 'ClusterKeepalivePolicy' },
    metadata: { name: platformName(index) },
    spec: {
      ...(index % 2 === 0 ? { podSelector: {} } : tier),
      ...(index % 5 === 1 ? { namespaceSelector: { matchLabels: { stage: 'production' } } } : {}),
      ...(index === 0 ? { nodes: { selector: { matchLabels: { pool: 'pool-0' } } } } : {}),
      path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: timeouts[index % 4] }],
      mode: index === 0 ? 'Enforce' : 'Audit',
    },
  };
}

export function teamPolicy(index: number): KubeManifest {
  return {
    ...{ apiVersion: 'keepalive.dev/v1alpha1', kind: 'KeepalivePolicy' },
    metadata: { name: 'own', namespace: teamName(index) },
    spec: {
      podSelector: {},
      path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: timeouts[(index + 1) % 4] }],
      mode: index % 2 === 0 ? 'Enforce' : 'Audit',
    },
  };
}
