import type { PolicyKind } from '../api/group.ts';
import type { SettingsReading } from '../api/settings.ts';
import { readSettings, SETTINGS_LINGER_MS, SETTINGS_NAMESPACE } from '../api/settings.ts';
import type { Finding } from '../api/status.ts';
import type { KubeObject } from '../kube/resource.ts';
import { LingeringStore } from '../kube/lingering-store.ts';
import { parseKey } from '../kube/resource.ts';
import { Store } from '../kube/store.ts';
import { admissionPolicyNames, clusterBindingName } from '../policy/admission.ts';
import { agentsMissing } from '../policy/agents.ts';
import { placeIn } from '../policy/census.ts';
import { mayBeOn } from '../policy/placement.ts';
import type { Circumstances } from '../policy/plan.ts';
import type { Installation } from '../policy/installation.ts';
import { installationFor, webhookInstallation } from '../policy/installation.ts';
import type { AdmissionMode } from '../policy/mode.ts';
import type { NamespaceView } from '../policy/pod.ts';
import type { PolicyRecord, Stored, StoredSettings } from '../policy/record.ts';
import type { NodeFacts } from '../policy/rollup.ts';
import type { Homes } from '../policy/webhook.ts';
import { unasked } from '../policy/webhook.ts';
import { Acting } from './acting.ts';
import { Counts } from './counts.ts';
import { nodeKeepaliveRecord } from './record.ts';
import { RefusalLog } from './refusal-log.ts';
import type {
  StoredAdmission,
  StoredBinding,
  StoredDaemonSet,
  StoredDeployment,
  StoredPod,
  StoredRefusal,
  StoredReport,
  StoredWebhook,
} from './record.ts';
import { Told } from './told.ts';

const ofNamespace = ({ namespace }: { namespace: string }) => [namespace];
/** Of all pods few are agents: an index of their own finds them. */
const readyAgents = ({ agentReady, node }: StoredPod) => (agentReady && node !== undefined ? [node] : []);
const place = (pod: StoredPod) => [placeIn(pod)];
const agents = ({ agentReady }: StoredPod) => (agentReady === undefined ? [] : ['any']);

/** What each binding of ours is of. */
const bound = admissionPolicyNames.ClusterKeepalivePolicy;

/** Nodes whose words a decision asked for, and those of them whose words are not at hand. */
export interface Words {
  readonly asked: Set<string>;
  readonly missing: Set<string>;
  /** Whose words were read for it: what the API server has by now, which may be newer than the report that is known. */
  readonly read: ReadonlySet<string>;
}

/** Of one look, what the world does not know. */
export type Occasion = Pick<Circumstances, 'now' | 'activatingForMs' | 'evidence'> &
  Partial<Pick<Circumstances, 'waitedFor' | 'unheard'>>;

interface WorldOptions {
  readonly mode?: AdmissionMode;
  /** The namespace of the controller. */
  readonly home?: string;
  /** Whoever installed it says that there are none. */
  readonly withoutAgents?: boolean;
  /** So long at a time something is counted before others have their turn. */
  readonly sliceMs?: number;
}

/**
 * What the controller knows of the cluster, by resource. A policy of either kind goes by its key in a store:
 * `namespace/name`, or `name` for a cluster policy.
 */
export class World {
  readonly mode: AdmissionMode;
  readonly homes: Homes;
  readonly withoutAgents: boolean;
  readonly keepalivepolicies = new Store<PolicyRecord, 'namespace'>({ namespace: ofNamespace });
  readonly clusterkeepalivepolicies = new Store<PolicyRecord>();
  readonly nodekeepalives = new Store<StoredReport>();
  readonly pods = new Store<StoredPod, 'namespace' | 'place' | 'readyAgentOn' | 'agents'>(
    { ...{ namespace: ofNamespace, place, readyAgentOn: readyAgents, agents } },
    { fillsInPlace: true },
  );
  readonly namespaces = new Store<Stored<NamespaceView>>();
  readonly nodes = new Store<Stored<NamespaceView>>();
  /** One at most. */
  readonly configmaps = new LingeringStore<StoredSettings>(SETTINGS_LINGER_MS);
  readonly mutatingadmissionpolicies = new Store<StoredAdmission>();
  readonly mutatingadmissionpolicybindings = new Store<StoredBinding>();
  /** One at most, and none where policies change new pods. */
  readonly mutatingwebhookconfigurations = new Store<StoredWebhook>();
  /** Of the agents. */
  readonly daemonsets = new Store<StoredDaemonSet>();
  readonly refusals = new Store<StoredRefusal>();
  /** Of any pods. */
  readonly refused = new RefusalLog();
  /** Of the controller. */
  readonly deployments = new Store<StoredDeployment>();

  readonly acting = new Acting(
    (key) => this.policy(key),
    () => this.settings.settings,
  );
  readonly counts: Counts;
  readonly told = new Told();

  /** Only in that namespace is a pod believed to be an agent. */
  constructor(
    agentNamespace: string,
    { mode = 'policy', home = SETTINGS_NAMESPACE, withoutAgents = false, sliceMs = 5 }: WorldOptions = {},
  ) {
    this.mode = mode;
    this.withoutAgents = withoutAgents;
    this.counts = new Counts(this, sliceMs);
    this.homes = { controller: home, agents: agentNamespace };
  }

  get webhook(): StoredWebhook | undefined {
    const [stored] = this.mutatingwebhookconfigurations.list();
    return stored;
  }

  /** Namespaces whose new pods pass without anybody being asked about them. */
  get unaskedIn(): string[] {
    if (this.mode === 'policy') return [];
    return [...new Set([...unasked(this.homes), ...(this.webhook?.leftOut ?? [])])];
  }

  get settings(): SettingsReading {
    const [stored] = this.configmaps.list();
    return readSettings(stored?.data);
  }

  policy(key: string): PolicyRecord | undefined {
    return this.policiesLike(key).get(key);
  }

  /** The store that holds policies with keys of this form. */
  policiesLike(key: string): Store<PolicyRecord, 'namespace'> | Store<PolicyRecord> {
    return key.includes('/') ? this.keepalivepolicies : this.clusterkeepalivepolicies;
  }

  /** Of a NodeKeepalive; words that are not kept can be read once more: `wantedOf` whom. Of others nothing more is kept by that. */
  reportRecord(object: KubeObject, wantedOf?: string): StoredReport {
    return nodeKeepaliveRecord(object, (policy, words) => {
      if (this.#mayBe(policy)) this.told.offer(policy, words, policy === wantedOf);
    });
  }

  /** Nobody would ever ask for words about a policy that is not there; before all are known, any name may be one. */
  #mayBe(policy: string): boolean {
    const store = this.policiesLike(policy);
    return !store.synced || store.get(policy) !== undefined;
  }

  get anyAgent(): boolean {
    return this.pods.keysBy('agents', 'any').size > 0;
  }

  /** Whether the agent of a node is ready and has reported something. */
  isReporting(node: string): boolean {
    return this.nodekeepalives.get(node) !== undefined && this.pods.keysBy('readyAgentOn', node).size > 0;
  }

  /**
   * Undefined where nobody means agents to be. Only agents write a NodeKeepalive: where there are some and no DaemonSet is known, whoever
   * made them is wanted all the same, and is in another namespace, or gone without a word; but where it is said that there are none.
   */
  get agents(): { readonly wanted: number; readonly reporting: number } | undefined {
    const sets = [...this.daemonsets.list()];
    const reports = this.#reports;
    if (sets.length === 0 && reports === 0) return undefined;
    const wanted = sets.length === 0 ? reports : sets.reduce((sum, one) => sum + one.wanted, 0);
    const reporting = [...this.nodekeepalives.keys()].filter((node) => this.isReporting(node)).length;
    return { wanted, reporting };
  }

  /** As many as tell of agents. */
  get #reports(): number {
    return this.withoutAgents ? 0 : this.nodekeepalives.size;
  }

  /** All that a decision on one policy depends on; `undefined` where there is no such policy any more. */
  gather(
    key: string,
    occasion: Occasion,
    words: Words = { asked: new Set(), missing: new Set(), read: new Set() },
  ): Circumstances | undefined {
    const record = this.policy(key);
    if (record === undefined) return undefined;
    const isCluster = record.kind === 'ClusterKeepalivePolicy';
    return {
      ...{ record, waitedFor: undefined, unheard: [], ...occasion, settings: this.settings },
      inExcess: this.acting.isInExcess(record),
      counted: this.counts.countedOf(key, (node) => this.#wordsOf(key, node, words)),
      installation: this.#installation(record.kind),
      mode: this.mode,
      unaskedIn: this.unaskedIn,
      mayBind: this.mode === 'policy' || this.mutatingadmissionpolicies.get(bound) !== undefined,
      binding: isCluster
        ? this.mutatingadmissionpolicybindings.get(clusterBindingName(record.name))
        : undefined,
      facts: this.#facts(key),
      ...(isCluster
        ? this.refused.inTurnFor(key, record.status.refusals ?? [])
        : { heard: this.refused.of(record.namespace), left: [] }),
      namespaceOf: (name) => this.namespaces.get(name),
    };
  }

  #installation(kind: PolicyKind): Installation {
    if (this.mode === 'webhook') return webhookInstallation(this.webhook);
    return installationFor(kind, {
      policies: this.mutatingadmissionpolicies,
      bindings: this.mutatingadmissionpolicybindings,
    });
  }

  #wordsOf(policy: string, node: string, { asked, missing, read }: Words): readonly Finding[] {
    asked.add(node);
    const version = this.nodekeepalives.get(node)?.version;
    const words = version === undefined ? [] : this.told.get(policy, node, version);
    if (words !== undefined) return words;
    // Where the newer report says the same of the policy, nobody asks for another look once it is known.
    if (read.has(node)) return this.told.newest(policy, node);
    missing.add(node);
    return [];
  }

  #facts(policy: string): NodeFacts {
    const { anyAgent } = this;
    const daemonSets = [...this.daemonsets.list()];
    // Most nodes tell of the same policies in the same order.
    let hint = 0;
    return {
      anyAgent,
      agentsMissing: agentsMissing({
        ...{ namespace: this.homes.agents, anyAgent, daemonSets, reports: this.#reports },
        refusal: this.#refusalOf(daemonSets),
      }),
      isServed: (name) => {
        const node = this.nodes.get(name);
        // A node whose own watch is a moment behind that of its pods has no labels yet.
        if (node === undefined || daemonSets.length === 0) return true;
        return daemonSets.some(({ placement }) => mayBeOn(placement, node));
      },
      isReporting: (node) => this.isReporting(node),
      reportOf: (node) => {
        const said = this.nodekeepalives.get(node)?.said;
        const index = said?.indexOf(policy, hint) ?? -1;
        if (index === -1) return undefined;
        hint = index;
        return said?.at(index);
      },
      shortenedOn: (node) => this.nodekeepalives.get(node)?.shortened.get(parseKey(policy).namespace ?? ''),
      nodes: { [Symbol.iterator]: () => this.nodes.list() },
    };
  }

  #refusalOf(daemonSets: readonly StoredDaemonSet[]): string | undefined {
    const names = new Set(daemonSets.map(({ name }) => name));
    return [...this.refusals.list()].find(({ of }) => names.has(of))?.message;
  }
}
