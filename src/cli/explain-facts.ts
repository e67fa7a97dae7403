import type { PolicyKind } from '../api/group.ts';
import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import type { SettingsReading } from '../api/settings.ts';
import { readSettings, SETTINGS_NAME } from '../api/settings.ts';
import type { KubeObject } from '../kube/resource.ts';
import { believable } from '../policy/believable.ts';
import { leftOutBy } from '../policy/left-out.ts';
import type { NodePod } from '../policy/node-pod.ts';
import { nodePod } from '../policy/node-pod.ts';
import type { NamespaceView, RawPod } from '../policy/pod.ts';
import { namespaceSelectorOf } from '../policy/policy.ts';
import { speaksOfOthers } from '../policy/pod-digest.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { labelledRecord, settingsRecord } from '../policy/record.ts';
import { unasked, webhookName } from '../policy/webhook.ts';
import type { AgentPod } from './agent-pods.ts';
import { homesOf } from './agent-pods.ts';
import type { Answer, Cluster } from './cluster.ts';
import { known, valueOr } from './cluster.ts';
import { resources } from './resource.ts';
import { mostSimilar } from './similar.ts';
import { agentsIn, policiesLike, policiesOf, trimmed } from './status-facts.ts';
import { CommandError } from './terminal.ts';

/** What can be read of a node, and what it depends on. */
export interface NodeFacts {
  readonly name: string;
  readonly node: Answer<NamespaceView | undefined>;
  /** Undefined: it has no NodeKeepalive. */
  readonly report: Answer<NodeKeepaliveStatus | undefined>;
  readonly cluster: Answer<readonly PolicyRecord[]>;
  readonly settings: Answer<SettingsReading>;
  /** Those of the node; where it has none, one of another shows that there are any. */
  readonly agents: Answer<readonly AgentPod[]>;
}

type Shared = Pick<NodeFacts, 'cluster' | 'settings' | 'agents'>;

/** All that an explanation of a pod depends on. */
export interface PodFacts extends Shared {
  readonly pod: NodePod;
  /** As it is stored, for what admission wrote into it. */
  readonly raw: RawPod;
  readonly namespace: Answer<NamespaceView>;
  readonly namespaced: readonly PolicyRecord[];
  /** Namespaces whose new pods pass without anybody being asked about them, where a webhook changes new pods. */
  readonly unaskedIn: readonly string[];
  /** Undefined: it is on no node yet. */
  readonly node: NodeFacts | undefined;
  /** All pods of its node that a policy of either kind may select, where one is to be compared with them. */
  readonly beside: Readonly<Record<PolicyKind, Answer<readonly Neighbour[]>>>;
}

/** Itself, or another pod of its node. */
export interface Neighbour {
  readonly pod: NodePod;
  readonly namespace: NamespaceView;
}

export async function podFacts(cluster: Cluster, name: string): Promise<PodFacts> {
  const namespaced = policiesOf(cluster, cluster.namespace);
  const pod = podNamed(cluster, name);
  const [policies, object] = await Promise.all([namespaced, pod]);
  const view = nodePod(object);
  const homes = homesOf(cluster);
  const [namespace, shared, unaskedIn] = await Promise.all([
    namespaceNamed(cluster, cluster.namespace),
    sharedFacts(cluster, homes, view.node),
    homes.then((own) => unaskedNamespaces(cluster, own)),
  ]);
  const node = view.node === undefined ? undefined : await nodeFacts(cluster, view.node, shared);
  const beside = node === undefined ? nobody : await besideOf(cluster, node, view);
  return { pod: view, raw: object, namespace, namespaced: policies, ...shared, unaskedIn, node, beside };
}

const nobody = { KeepalivePolicy: known([]), ClusterKeepalivePolicy: known([]) } as const;

/** Nobody is asked for where the report of the node itself tells whether it speaks of the pod: a node may run hundreds. */
async function besideOf(
  cluster: Cluster,
  { name: node, cluster: policies, report }: NodeFacts,
  { uid, namespace: home }: NodePod,
): Promise<PodFacts['beside']> {
  const told = valueOr(report, undefined)?.policies ?? [];
  const compared = told.filter(
    (one) => one.selected > 1 && speaksOfOthers(one, uid) && (one.namespace ?? home) === home,
  );
  if (compared.length === 0) return nobody;
  const on = (namespace?: string) =>
    trimmed(
      cluster.list({ ...resources.pods, namespace }, { fieldSelector: `spec.nodeName=${node}` }),
      nodePod,
    );
  if (compared.every(({ kind }) => kind === 'KeepalivePolicy'))
    return { ...nobody, KeepalivePolicy: neighbourly(await on(home)) };
  const asksForLabels = valueOr(policies, []).some(
    ({ policy }) => policy !== undefined && namespaceSelectorOf(policy) !== undefined,
  );
  const [all, namespaces] = await Promise.all([
    on(),
    asksForLabels ? trimmed(cluster.list(resources.namespaces), labelledRecord) : known([]),
  ]);
  return {
    // Who may not list pods of all namespaces may still list those of this one.
    KeepalivePolicy: neighbourly(all.known ? all : await on(home)),
    ClusterKeepalivePolicy: namespaces.known ? neighbourly(all, namespaces.value) : namespaces,
  };
}

function neighbourly(
  pods: Answer<readonly NodePod[]>,
  namespaces: readonly NamespaceView[] = [],
): Answer<readonly Neighbour[]> {
  if (!pods.known) return pods;
  const byName = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  return known(
    pods.value.map((pod) => {
      const { namespace: name } = pod;
      return { pod, namespace: byName.get(name) ?? { name, labels: {} } };
    }),
  );
}

/** Throws where there is no such node, as far as that can be told. */
export async function factsOfNode(cluster: Cluster, name: string): Promise<NodeFacts> {
  const facts = await nodeFacts(cluster, name, await sharedFacts(cluster, homesOf(cluster), name));
  if (facts.node.known && facts.node.value === undefined) {
    const nodes = await cluster.list(resources.nodes);
    throw new CommandError(`there is no node ${name}${suggestion(name, nodes)}`);
  }
  return facts;
}

async function sharedFacts(
  cluster: Cluster,
  homes: Promise<readonly string[]>,
  node: string | undefined,
): Promise<Shared> {
  const [clusterWide, settings, agents] = await Promise.all([
    policiesLike(cluster, 'ClusterKeepalivePolicy'),
    homes.then((own) => settingsIn(cluster, own)),
    homes.then((own) => agentsFor(cluster, own, node)),
  ]);
  return { cluster: clusterWide, settings, agents };
}

/** In a large cluster there are thousands. */
async function agentsFor(
  cluster: Cluster,
  homes: readonly string[],
  node: string | undefined,
): Promise<Shared['agents']> {
  const there =
    node === undefined
      ? known([])
      : await agentsIn(cluster, homes, { fieldSelector: `spec.nodeName=${node}` });
  const isNone = there.known && there.value.length === 0;
  return isNone ? agentsIn(cluster, homes, { atLeast: 1 }) : there;
}

async function nodeFacts(cluster: Cluster, name: string, shared: Shared): Promise<NodeFacts> {
  const [node, report] = await Promise.all([
    cluster.get({ ...resources.nodes, name }),
    cluster.get({ ...resources.nodekeepalives, name }),
  ]);
  return { name, node: mapped(node, labelledRecord), report: mapped(report, reportOf), ...shared };
}

function reportOf({ status }: KubeObject): NodeKeepaliveStatus {
  const report = (status ?? {}) as NodeKeepaliveStatus;
  return { ...report, policies: (report.policies ?? []).map(believable) };
}

function mapped<T, R>(answer: Answer<T | undefined>, map: (value: T) => R): Answer<R | undefined> {
  return answer.known ? known(answer.value === undefined ? undefined : map(answer.value)) : answer;
}

async function podNamed(cluster: Cluster, name: string): Promise<KubeObject> {
  const { namespace } = cluster;
  const found = await cluster.get({ ...resources.pods, namespace, name });
  if (!found.known)
    throw new CommandError(`${found.why}: name another by -n, or ask whoever administers the cluster`);
  if (found.value !== undefined) return found.value;
  const pods = await cluster.list({ ...resources.pods, namespace });
  throw new CommandError(
    `there is no pod ${name} in namespace ${namespace} (-n names another)${suggestion(name, pods)}`,
  );
}

function suggestion(name: string, listed: Answer<readonly KubeObject[]>): string {
  if (!listed.known) return '';
  const names = listed.value.map(({ metadata }) => metadata.name);
  // People say the name of what made it.
  const near = names.find((one) => one.startsWith(`${name}-`)) ?? mostSimilar(name, names);
  return near === undefined ? '' : `: did you mean ${near}?`;
}

/** Without its labels only what its name says can be told of it. */
async function namespaceNamed(cluster: Cluster, name: string): Promise<Answer<NamespaceView>> {
  const found = await cluster.get({ ...resources.namespaces, name });
  if (!found.known) return found;
  return known(found.value === undefined ? { name, labels: {} } : labelledRecord(found.value));
}

/** As the configuration of the webhook says, which others may have edited; none where there is none. Who may not read it goes by where the operator is. */
async function unaskedNamespaces(cluster: Cluster, homes: readonly string[]): Promise<readonly string[]> {
  const found = await cluster.get({ ...resources.mutatingwebhookconfigurations, name: webhookName });
  if (!found.known) return homes.flatMap((home) => unasked({ controller: home, agents: home }));
  return leftOutBy(webhookName, found.value?.['webhooks']);
}

/** Of the operator, wherever it was put; the usual ones where it has none in any of `homes`. */
export async function settingsIn(
  cluster: Cluster,
  homes: readonly string[],
): Promise<Answer<SettingsReading>> {
  const answers = await Promise.all(
    homes.map((namespace) => cluster.get({ ...resources.configmaps, namespace, name: SETTINGS_NAME })),
  );
  const there = answers.find((one) => one.known && one.value !== undefined);
  const found = there ?? answers.find((one) => !one.known) ?? known(undefined);
  const record = mapped(found, settingsRecord);
  return record.known ? known(readSettings(record.value?.data)) : record;
}
