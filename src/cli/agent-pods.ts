import { AGENT_NAME, isComponent, OPERATOR_LABELS } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';
import { daemonSetRecord } from '../policy/daemonset.ts';
import type { DaemonSetRecord } from '../policy/daemonset.ts';
import type { Answer, Cluster } from './cluster.ts';
import { known } from './cluster.ts';
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
export const operatorSelector = Object.entries(OPERATOR_LABELS)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');

/**
 * Namespaces that belong to the operator, by a label that only administrators can give one: anybody may label a pod of his
 * own as an agent. Where they cannot be listed, the ones of the manifests.
 */
export async function homesOf(cluster: Cluster): Promise<readonly string[]> {
  const found = await cluster.list(resources.namespaces, { labelSelector: operatorSelector });
  return found.known ? found.value.map(({ metadata }) => metadata.name) : [AGENT_NAME, 'keepalive-system'];
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
