import type { SettingsReading } from '../api/settings.ts';
import { readSettings } from '../api/settings.ts';
import { parseKey } from '../kube/resource.ts';
import { Store } from '../kube/store.ts';
import { clusterBindingName } from '../policy/admission.ts';
import { agentsMissing } from '../policy/agents.ts';
import type { Neighbourhood } from '../policy/assess.ts';
import { mayBeOn } from '../policy/placement.ts';
import type { Circumstances } from '../policy/plan.ts';
import { installationFor } from '../policy/installation.ts';
import { inExcess } from '../policy/limits.ts';
import type { NamespaceView } from '../policy/pod.ts';
import type { PolicyRecord, Stored, StoredSettings } from '../policy/record.ts';
import type { NodeFacts } from '../policy/rollup.ts';
import { thoseThatMayAct } from '../policy/withheld.ts';
import { RefusalLog } from './refusal-log.ts';
import type {
  StoredAdmission,
  StoredBinding,
  StoredDaemonSet,
  StoredDeployment,
  StoredPod,
  StoredRefusal,
  StoredReport,
} from './record.ts';

const ofNamespace = ({ namespace }: { namespace: string }) => [namespace];
/** Of all pods few are agents: an index of their own finds them. */
const readyAgents = ({ agentReady, node }: StoredPod) => (agentReady && node !== undefined ? [node] : []);
const agents = ({ agentReady }: StoredPod) => (agentReady === undefined ? [] : ['any']);

/**
 * What the controller knows of the cluster, by resource. A policy of either kind goes by its key in a store:
 * `namespace/name`, or `name` for a cluster policy.
 */
export class World {
  readonly #agentNamespace: string;
  readonly keepalivepolicies = new Store<PolicyRecord, 'namespace'>({ namespace: ofNamespace });
  readonly clusterkeepalivepolicies = new Store<PolicyRecord>();
  readonly nodekeepalives = new Store<StoredReport>();
  readonly pods = new Store<StoredPod, 'namespace' | 'readyAgentOn' | 'agents'>({
    ...{ namespace: ofNamespace, readyAgentOn: readyAgents, agents },
  });
  readonly namespaces = new Store<Stored<NamespaceView>>();
  readonly nodes = new Store<Stored<NamespaceView>>();
  /** One at most. */
  readonly configmaps = new Store<StoredSettings>();
  readonly mutatingadmissionpolicies = new Store<StoredAdmission>();
  readonly mutatingadmissionpolicybindings = new Store<StoredBinding>();
  /** Of the agents. */
  readonly daemonsets = new Store<StoredDaemonSet>();
  readonly refusals = new Store<StoredRefusal>();
  /** Of any pods. */
  readonly refused = new RefusalLog();
  /** Of the controller. */
  readonly deployments = new Store<StoredDeployment>();

  /** Only in that namespace is a pod believed to be an agent. */
  constructor(agentNamespace: string) {
    this.#agentNamespace = agentNamespace;
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

  /** All that a decision on one policy depends on; `undefined` where there is no such policy any more. */
  gather(
    key: string,
    time: Pick<Circumstances, 'now' | 'activatingForMs' | 'evidence'>,
  ): Circumstances | undefined {
    const record = this.policy(key);
    if (record === undefined) return undefined;
    const isCluster = record.kind === 'ClusterKeepalivePolicy';
    const settings = this.settings;
    const beside = this.#policiesBeside(record);
    return {
      ...{ record, ...time, settings },
      inExcess: inExcess(beside, settings.settings).has(record),
      neighbourhoods: isCluster ? this.#everywhere() : [this.#neighbourhood(record.namespace)],
      others: thoseThatMayAct(beside, settings.settings).map(({ policy }) => policy),
      installation: installationFor(record.kind, {
        policies: this.mutatingadmissionpolicies,
        bindings: this.mutatingadmissionpolicybindings,
      }),
      binding: isCluster
        ? this.mutatingadmissionpolicybindings.get(clusterBindingName(record.name))
        : undefined,
      facts: this.#facts(key),
      heard: isCluster ? [...this.refused.list()] : this.refused.of(record.namespace),
      namespaceOf: (name) => this.namespaces.get(name),
    };
  }

  #facts(policy: string): NodeFacts {
    const anyAgent = this.pods.keysBy('agents', 'any').size > 0;
    const daemonSets = [...this.daemonsets.list()];
    return {
      anyAgent,
      agentsMissing: agentsMissing({
        ...{ namespace: this.#agentNamespace, anyAgent, daemonSets, reports: this.nodekeepalives.size },
        refusal: this.#refusalOf(daemonSets),
      }),
      isServed: (name) => {
        const node = this.nodes.get(name);
        // A node whose own watch is a moment behind that of its pods has no labels yet.
        if (node === undefined || daemonSets.length === 0) return true;
        return daemonSets.some(({ placement }) => mayBeOn(placement, node));
      },
      isReporting: (node) =>
        this.nodekeepalives.get(node) !== undefined && this.pods.keysBy('readyAgentOn', node).size > 0,
      reportOf: (node) => this.nodekeepalives.get(node)?.reports.get(policy),
      shortenedOn: (node) => this.nodekeepalives.get(node)?.shortened.get(parseKey(policy).namespace ?? ''),
      nodes: { [Symbol.iterator]: () => this.nodes.list() },
    };
  }

  #refusalOf(daemonSets: readonly StoredDaemonSet[]): string | undefined {
    const names = new Set(daemonSets.map(({ name }) => name));
    return [...this.refusals.list()].find(({ of }) => names.has(of))?.message;
  }

  *#everywhere(): Generator<Neighbourhood> {
    for (const name of this.namespaces.keys()) yield this.#neighbourhood(name);
  }

  #neighbourhood(name: string): Neighbourhood {
    // A namespace whose own watch is a moment behind that of its pods has no labels yet.
    const namespace = this.namespaces.get(name) ?? { name, labels: {} };
    return { namespace, pods: this.pods.listBy('namespace', name) };
  }

  /** Every policy that may select a pod that this one selects, itself too. */
  #policiesBeside({ kind, namespace }: PolicyRecord): PolicyRecord[] {
    const namespaced =
      kind === 'KeepalivePolicy'
        ? this.keepalivepolicies.listBy('namespace', namespace)
        : this.keepalivepolicies.list();
    return [...namespaced, ...this.clusterkeepalivepolicies.list()];
  }
}
