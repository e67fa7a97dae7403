import { nodeKeepaliveStatusSchema } from '../api/node-keepalive.ts';
import type { NodePolicyReport } from '../api/node-keepalive.ts';
import type { KubeObject } from '../kube/resource.ts';
import { keyOf } from '../kube/resource.ts';
import type { BindingRecord } from '../policy/plan.ts';
import type { PodView } from '../policy/pod.ts';
import { podView } from '../policy/pod.ts';
import type { Stored } from '../policy/record.ts';

export interface ControllerPod extends PodView {
  /** Of a node agent, whether it is ready to serve; undefined for every other pod. */
  readonly agentReady: boolean | undefined;
}
export type StoredPod = Stored<ControllerPod>;
export type StoredBinding = BindingRecord;
export type StoredAdmission = Stored<{ readonly name: string }>;

export function podRecord(object: KubeObject, agentNamespace: string): StoredPod {
  return { uid: object.metadata.uid, ...podView(object), agentReady: agentReadiness(object, agentNamespace) };
}

/** Only what stands in the namespace of the agents is believed to be one: others may carry the same labels. */
function agentReadiness({ metadata, status }: KubeObject, agentNamespace: string): boolean | undefined {
  const isAgent =
    metadata.namespace === agentNamespace && metadata.labels?.['app.kubernetes.io/component'] === 'agent';
  if (!isAgent) return undefined;
  const { conditions = [] } = (status ?? {}) as {
    conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  return conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

export function bindingRecord({ metadata, spec }: KubeObject): StoredBinding {
  const { name, uid, resourceVersion, labels = {} } = metadata;
  const { ownerReferences = [] } = metadata as { ownerReferences?: readonly unknown[] };
  return { name, uid, resourceVersion, labels, ownerReferences, spec };
}

export function admissionRecord({ metadata }: KubeObject): StoredAdmission {
  return { uid: metadata.uid, name: metadata.name };
}

/** What the agent of a node said last, policy by policy. */
export type StoredReport = Stored<{
  readonly node: string;
  /** By the key of the policy in a store. */
  readonly reports: Readonly<Record<string, NodePolicyReport>>;
}>;

/** Throws where it cannot be read, as an object of a newer version may be. */
export function nodeKeepaliveRecord({ metadata, status }: KubeObject): StoredReport {
  const { policies = [] } = nodeKeepaliveStatusSchema.parse(status ?? {});
  const reports = policies.map((report) => [keyOf(report), report] as const);
  return { uid: metadata.uid, node: metadata.name, reports: Object.fromEntries(reports) };
}
