import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import type { PolicyKind } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { DaemonSetRecord } from '../policy/daemonset.ts';
import type { NamespaceView } from '../policy/pod.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { labelledRecord, policyRecord } from '../policy/record.ts';
import type { AgentPod } from './agent-pods.ts';
import { agentPod, agentSelector, agentSet, homesOf, inEach } from './agent-pods.ts';
import type { Answer, Cluster, ListOptions } from './cluster.ts';
import { known } from './cluster.ts';
import { installCommand } from './install-command.ts';
import { resources } from './resource.ts';
import { CommandError } from './terminal.ts';

/** Of a NodeKeepalive, what is told of the node itself. */
export type NodeReport = Pick<NodeKeepaliveStatus, 'agentVersion' | 'connections' | 'host' | 'pods'> & {
  readonly uid: string;
  readonly node: string;
};

/** All that the cluster at a glance is made of. */
export interface StatusFacts {
  readonly namespaced: readonly PolicyRecord[];
  readonly cluster: Answer<readonly PolicyRecord[]>;
  readonly nodes: Answer<readonly NamespaceView[]>;
  readonly reports: Answer<readonly NodeReport[]>;
  readonly agents: Answer<readonly AgentPod[]>;
  readonly agentSets: Answer<readonly DaemonSetRecord[]>;
}

export function nodeReport({ metadata, status }: KubeObject): NodeReport {
  const { agentVersion, connections, host, pods } = (status ?? {}) as NodeKeepaliveStatus;
  return { uid: metadata.uid, node: metadata.name, agentVersion, connections, host, pods };
}

/** `namespace`: policies of that one only. */
export async function statusFacts(cluster: Cluster, namespace: string | undefined): Promise<StatusFacts> {
  const homes = homesOf(cluster);
  const [namespaced, clusterWide, nodes, reports, agents, agentSets] = await Promise.all([
    policiesOf(cluster, namespace),
    policiesLike(cluster, 'ClusterKeepalivePolicy'),
    trimmed(cluster.list(resources.nodes), labelledRecord),
    trimmed(cluster.list(resources.nodekeepalives), nodeReport),
    homes.then((all) => agentsIn(cluster, all)),
    homes.then((all) =>
      inEach(all, (home) => trimmed(cluster.list({ ...resources.daemonsets, namespace: home }), agentSet)),
    ),
  ]);
  return { namespaced, cluster: clusterWide, nodes, reports, agents, agentSets };
}

/** Throws where nothing can be said at all. */
export async function policiesOf(cluster: Cluster, namespace: string | undefined): Promise<PolicyRecord[]> {
  const kinds = await cluster.kindsOf(resources.keepalivepolicies.group, resources.keepalivepolicies.version);
  if (kinds.known && !kinds.value.includes(resources.keepalivepolicies.plural)) throw notInstalled();
  const read = await policiesLike(cluster, 'KeepalivePolicy', namespace);
  if (read.known) return [...read.value];
  throw new CommandError(
    namespace === undefined
      ? `${read.why}: name a namespace that is yours by -n, or ask whoever administers the cluster for that right`
      : `${read.why}: name another by -n, or ask whoever administers the cluster for that right`,
  );
}

function notInstalled(): CommandError {
  return new CommandError(
    `keepalive-operator is not installed in this cluster: it knows no KeepalivePolicy. \`${installCommand}\` installs it (docs/install.md); ` +
      '`keepalive doctor` tells what is there and what is missing',
  );
}

export function policiesLike(
  cluster: Cluster,
  kind: PolicyKind,
  namespace?: string,
): Promise<Answer<PolicyRecord[]>> {
  const resource =
    kind === 'KeepalivePolicy' ? resources.keepalivepolicies : resources.clusterkeepalivepolicies;
  return trimmed(cluster.list({ ...resource, namespace }), (object) => policyRecord(kind, object));
}

export function agentsIn(
  cluster: Cluster,
  homes: readonly string[],
  options: ListOptions = {},
): Promise<Answer<readonly AgentPod[]>> {
  const asked = { labelSelector: agentSelector, ...options };
  return inEach(homes, (home) =>
    trimmed(cluster.list({ ...resources.pods, namespace: home }, asked), agentPod),
  );
}

export async function trimmed<T>(
  listed: Promise<Answer<readonly KubeObject[]>>,
  trim: (object: KubeObject) => T | undefined,
): Promise<Answer<T[]>> {
  const answer = await listed;
  return answer.known ? known(answer.value.map(trim).filter((one) => one !== undefined)) : answer;
}
