import { isComponent } from '../api/group.ts';
import { nodeKeepaliveStatusSchema } from '../api/node-keepalive.ts';
import type { ShortenedReport } from '../api/node-keepalive.ts';
import type { Finding } from '../api/status.ts';
import type { KubeObject } from '../kube/resource.ts';
import { keyOf } from '../kube/resource.ts';
import { policyOfBinding } from '../policy/admission.ts';
import { believable } from '../policy/believable.ts';
import type { BindingRecord } from '../policy/binding-step.ts';
import type { AdmissionDifference } from '../policy/installation.ts';
import { admissionDifference, staticAdmission, webhookAround } from '../policy/installation.ts';
import type { DaemonSetView } from '../policy/agents.ts';
import { daemonSetRecord } from '../policy/daemonset.ts';
import type { Contribution } from '../policy/contribution.ts';
import { contributionOf, Contributions, podFindingsOf } from '../policy/contribution.ts';
import { heldLabels } from '../policy/held-labels.ts';
import { leftOutBy } from '../policy/left-out.ts';
import type { PodView } from '../policy/pod.ts';
import { partOf } from '../policy/pod-digest.ts';
import { podView } from '../policy/pod.ts';
import { Pool } from '../policy/pool.ts';
import type { Stored } from '../policy/record.ts';
import { reportBytes, sizeOf } from '../policy/report-budget.ts';
import type { Homes } from '../policy/webhook.ts';

export interface ControllerPod extends PodView {
  /** Of a node agent, whether it is ready to serve; undefined for every other pod. */
  readonly agentReady: boolean | undefined;
}
export type StoredPod = Stored<ControllerPod>;
/** Of an object of the manifests: where it is not as this version installs it, and not the object itself. */
interface Compared {
  readonly differs: AdmissionDifference | undefined;
}
export type StoredBinding = BindingRecord & Compared;
export type StoredAdmission = Stored<{ readonly name: string } & Compared>;
export type StoredDaemonSet = Stored<DaemonSetView>;
export type StoredRefusal = Stored<{ readonly of: string; readonly message: string }>;
export type StoredDeployment = Stored<{ readonly name: string; readonly runs: boolean }>;

const texts = new Pool<string>(1024 ** 2);
const pooled = (text: string) => texts.get(text, text);
/** Labels and declared values: pods of one template have the same, and share an object. */
const parts = new Pool<object>(4 * 1024 ** 2);
const shared = <T extends object>(part: T): T => parts.get(JSON.stringify(part), part) as T;

export function podRecord(object: KubeObject, agentNamespace: string): StoredPod {
  const view = podView(object);
  return {
    ...view,
    uid: object.metadata.uid,
    digestPart: partOf(object.metadata.uid),
    namespace: pooled(view.namespace),
    node: view.node && pooled(view.node),
    labels: shared(heldLabels(view.labels)),
    declared: view.declared && shared(view.declared),
    agentReady: agentReadiness(object, agentNamespace),
  };
}

/** Only what stands in the namespace of the agents is believed to be one: others may carry the same labels. */
function agentReadiness({ metadata, status }: KubeObject, agentNamespace: string): boolean | undefined {
  if (metadata.namespace !== agentNamespace || !isComponent('agent', metadata.labels)) return undefined;
  const { conditions = [] } = (status ?? {}) as {
    conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  return conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

/** Bindings of others are none of our business; of the static one, only whether it is as it should be. */
export function bindingRecord({ metadata, spec }: KubeObject): StoredBinding | undefined {
  const { name, uid, resourceVersion, labels = {} } = metadata;
  const { ownerReferences = [] } = metadata as { ownerReferences?: readonly unknown[] };
  if (policyOfBinding(name) !== undefined)
    return { name, uid, resourceVersion, labels, ownerReferences, spec, differs: undefined };
  if (!staticAdmission.bindings.some((own) => own.metadata.name === name)) return undefined;
  const differs = admissionDifference({ metadata, spec }, staticAdmission.bindings);
  return { name, uid, resourceVersion: '', labels: {}, ownerReferences: [], spec: undefined, differs };
}

const mutating = [...staticAdmission.policies, ...staticAdmission.witnesses];

export function admissionRecord({ metadata, spec }: KubeObject): StoredAdmission | undefined {
  const { name, uid } = metadata;
  // Also what an overlay renamed, or nobody would see that it did.
  if (!mutating.some((own) => name.includes(own.metadata.name))) return undefined;
  return { uid, name, differs: admissionDifference({ metadata, spec }, mutating) };
}

/** Of the configuration of our webhook: where it leads, and whom it trusts there. */
export type StoredWebhook = Stored<
  Compared & {
    readonly name: string;
    /** By which the API server calls us, and which the certificate has to name. */
    readonly host: string;
    /** Of each webhook, by its name: base64 of certificates in PEM, or nothing. */
    readonly trusted: Readonly<Record<string, string>>;
    /** Namespaces that it is not asked about, by their names: whoever runs the cluster may have added some. */
    readonly leftOut: readonly string[];
  }
>;

export function webhookRecord({ metadata, webhooks }: KubeObject, homes: Homes): StoredWebhook {
  const { uid, name } = metadata;
  const list = (webhooks ?? []) as readonly RawWebhook[];
  const { name: service = '', namespace = '' } = list[0]?.clientConfig.service ?? {};
  return {
    uid,
    name,
    host: `${service}.${namespace}.svc`,
    trusted: Object.fromEntries(list.map((one) => [one.name, one.clientConfig.caBundle ?? ''])),
    leftOut: leftOutBy(name, list),
    differs: admissionDifference({ metadata, webhooks: list }, [webhookAround(homes)]),
  };
}

interface RawWebhook {
  readonly name: string;
  readonly clientConfig: {
    readonly service?: { readonly name: string; readonly namespace: string };
    readonly caBundle?: string;
  };
  readonly [field: string]: unknown;
}

/** What the agent of a node said last, without the words about its pods. */
export type StoredReport = Stored<{
  readonly node: string;
  /** The resourceVersion. */
  readonly version: string;
  readonly said: Contributions;
  /** By namespace; cluster policies under the empty one. */
  readonly shortened: ReadonlyMap<string, ShortenedReport>;
}>;

/** Is given the words about the pods of the node of each policy, by its key in a store; by no findings where there are none. */
export type TakeWords = (
  policy: string,
  words: { readonly node: string; readonly version: string; readonly findings: readonly Finding[] },
) => void;

/** Throws where it cannot be read, as an object of a newer version may be: its node counts as one of which nobody hears. */
export function nodeKeepaliveRecord({ metadata, status }: KubeObject, take: TakeWords): StoredReport {
  const bytes = sizeOf(status ?? {});
  if (bytes > reportBytes)
    throw new Error(`${bytes} bytes are not of an agent, which never writes more than ${reportBytes}`);
  const { policies = [], shortened = [] } = nodeKeepaliveStatusSchema.parse(status ?? {});
  const { uid, name: node, resourceVersion: version } = metadata;
  const said = new Map<string, Contribution>();
  for (const one of policies) {
    const [report, key] = [believable(one), pooled(keyOf(one))];
    said.set(key, contributionOf(node, report));
    take(key, { node, version, findings: podFindingsOf(node, report).map(inPool) });
  }
  return {
    ...{ uid, node, version },
    said: new Contributions(said),
    shortened: new Map(shortened.map((one) => [one.namespace ?? '', one])),
  };
}

function inPool(finding: Finding): Finding {
  return { ...finding, reason: pooled(finding.reason), message: pooled(finding.message) };
}

/** Undefined for those of others: an overlay may have put the agents beside them. */
export function agentsRecord(object: KubeObject): StoredDaemonSet | undefined {
  const { isOfAgents, ...record } = daemonSetRecord(object);
  if (!isOfAgents) return undefined;
  const { desiredNumberScheduled: wanted = 0, currentNumberScheduled: made = 0 } = (object.status ?? {}) as {
    desiredNumberScheduled?: number;
    currentNumberScheduled?: number;
  };
  return { ...record, wanted, made };
}

/** Of an event that says that a DaemonSet could not make a pod. */
export function refusalRecord({ metadata, involvedObject, message }: KubeObject): StoredRefusal {
  const { name = '' } = (involvedObject ?? {}) as { name?: string };
  return { uid: metadata.uid, of: name, message: typeof message === 'string' ? message : '' };
}

/** Undefined for those of others. */
export function deploymentRecord({ metadata, spec }: KubeObject): StoredDeployment | undefined {
  if (!isComponent('controller', metadata.labels)) return undefined;
  const { replicas = 1 } = (spec ?? {}) as { replicas?: number };
  return {
    uid: metadata.uid,
    name: metadata.name,
    runs: metadata.deletionTimestamp === undefined && replicas > 0,
  };
}
