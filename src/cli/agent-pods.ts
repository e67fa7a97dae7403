import { isComponent, labelsOf, OPERATOR_LABELS } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';
import { daemonSetRecord } from '../policy/daemonset.ts';
import type { DaemonSetRecord } from '../policy/daemonset.ts';
import { usualHomes } from '../policy/webhook.ts';
import type { Answer, Cluster } from './cluster.ts';
import { known, valueOr } from './cluster.ts';
import { resources } from './resource.ts';

/** A pod of the agents. */
export interface AgentPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string | undefined;
  readonly isReady: boolean;
}

/** `app.kubernetes.io/name=keepalive-operator` */
export const operatorSelector = selectorOf(OPERATOR_LABELS);
export const agentSelector = selectorOf(labelsOf('agent'));

function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/**
 * Namespaces that belong to the operator, by what only administrators can write: anybody may label a pod of his own as an agent.
 * A label tells, and who is bound to its roles, since a namespace that Helm makes has no label. Where that cannot be read, the ones
 * of the manifests.
 */
export async function homesOf(cluster: Cluster): Promise<readonly string[]> {
  const ours = { labelSelector: operatorSelector };
  const [namespaces, bindings] = await Promise.all([
    cluster.list(resources.namespaces, ours),
    cluster.list(resources.clusterrolebindings, ours),
  ]);
  const labelled = valueOr(namespaces, []).map(({ metadata }) => metadata.name);
  const { controller, agents } = usualHomes;
  const bound = bindings.known ? bindings.value.flatMap(subjectNamespaces) : [controller, agents];
  return [...new Set([...labelled, ...bound])];
}

function subjectNamespaces({ subjects }: KubeObject): string[] {
  return ((subjects ?? []) as readonly { readonly namespace?: string }[]).flatMap(
    ({ namespace }) => namespace ?? [],
  );
}

/** Of each namespace all, or why not. */
export async function inEach<T>(
  homes: readonly string[],
  read: (namespace: string) => Promise<Answer<readonly T[]>>,
): Promise<Answer<readonly T[]>> {
  const all = await Promise.all(homes.map(read));
  const missing = all.find((one) => !one.known);
  return missing ?? known(all.flatMap((one) => (one.known ? one.value : [])));
}

export function agentPod({ metadata, spec, status }: KubeObject): AgentPod | undefined {
  if (!isComponent('agent', metadata.labels)) return undefined;
  const { nodeName } = (spec ?? {}) as { nodeName?: string };
  const { conditions = [] } = (status ?? {}) as {
    conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  return {
    ...{ uid: metadata.uid, namespace: metadata.namespace ?? '', name: metadata.name, node: nodeName },
    isReady: conditions.some((one) => one.type === 'Ready' && one.status === 'True'),
  };
}

export function agentSet(object: KubeObject): DaemonSetRecord | undefined {
  const record = daemonSetRecord(object);
  return record.isOfAgents ? record : undefined;
}
