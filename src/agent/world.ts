import type { SettingsReading } from '../api/settings.ts';
import { readSettings, SETTINGS_LINGER_MS, SETTINGS_NAME } from '../api/settings.ts';
import { AGENT_NAME } from '../api/group.ts';
import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { LingeringStore } from '../kube/lingering-store.ts';
import type { Log } from '../kube/log.ts';
import type { KubeObject } from '../kube/resource.ts';
import { Store } from '../kube/store.ts';
import type { Watched } from '../kube/watched.ts';
import { watcher } from '../kube/watched.ts';
import type { DaemonSetRecord } from '../policy/daemonset.ts';
import { daemonSetRecord } from '../policy/daemonset.ts';
import type { NodePod } from '../policy/node-pod.ts';
import { nodePod } from '../policy/node-pod.ts';
import type { NamespaceView } from '../policy/pod.ts';
import type { PolicyRecord, Stored, StoredSettings } from '../policy/record.ts';
import { labelledRecord, policyRecord, settingsRecord } from '../policy/record.ts';
import type { NodeCircumstances } from '../policy/selection.ts';
import { thoseThatMayAct } from '../policy/withheld.ts';
import { isFollowed } from './daemonset.ts';
import { resources } from './resource.ts';

/** What is in the API of this node's own object, as it was last seen there. */
export interface StoredNodeKeepalive {
  readonly uid: string;
  readonly status: NodeKeepaliveStatus;
}

/** Of thousands of agents, whose watches all end at the same moment where an API server ends. */
const doubt = { minSeconds: 5, maxSeconds: 60 };

type AgentNamespace = NamespaceView & { readonly isEnding: boolean };

/** What the agent knows of the cluster: all policies, and of everything else what concerns its own node. */
export class World {
  readonly #node: string;
  /** Where this agent's own pod is. */
  readonly #home: string;
  readonly keepalivepolicies = new Store<PolicyRecord>();
  readonly clusterkeepalivepolicies = new Store<PolicyRecord>();
  readonly pods = new Store<NodePod>();
  readonly namespaces = new Store<Stored<AgentNamespace>>();
  readonly nodes = new Store<Stored<NamespaceView>>();
  readonly nodekeepalives = new Store<StoredNodeKeepalive>();
  /** One at most. */
  readonly configmaps: LingeringStore<StoredSettings>;
  readonly daemonsets = new Store<DaemonSetRecord>();

  constructor(node: string, home = AGENT_NAME, clock?: Clock) {
    this.#node = node;
    this.#home = home;
    this.configmaps = new LingeringStore(SETTINGS_LINGER_MS, clock);
  }

  get settings(): SettingsReading {
    const [stored] = this.configmaps.list();
    return readSettings(stored?.data);
  }

  /** As if the ConfigMap had said so until now: an earlier agent of this node has noted that it did. */
  holdSwitchedOff(): void {
    this.configmaps.set(SETTINGS_NAME, { uid: '', data: { acting: 'Audit' } });
    this.configmaps.delete(SETTINGS_NAME);
  }

  get node(): Stored<NamespaceView> | undefined {
    return this.nodes.get(this.#node);
  }

  get reported(): StoredNodeKeepalive | undefined {
    return this.nodekeepalives.get(this.#node);
  }

  /** Whether one of the DaemonSets makes another agent for the node after one of DaemonSet `own`. */
  isFollowed(own: string, daemonSets: Iterable<DaemonSetRecord> = this.daemonsets.list()): boolean {
    const isGoing = this.namespaces.get(this.#home)?.isEnding === true;
    return !isGoing && isFollowed(own, daemonSets, this.node);
  }

  gather(): NodeCircumstances {
    const policies = [...this.keepalivepolicies.list(), ...this.clusterkeepalivepolicies.list()];
    const { settings } = this.settings;
    // What these ask nobody can tell: what is held is held on, but where nothing shall act.
    const unread = settings.acting === 'Enforce' ? policies.filter(({ policy }) => policy === undefined) : [];
    return {
      node: this.node,
      pods: this.pods.list(),
      namespaces: this.namespaces,
      policies: [...thoseThatMayAct(policies, settings), ...unread],
    };
  }

  /** A watch for each resource; none runs yet. */
  watchAll(options: {
    readonly client: ApiClient;
    readonly log: Log;
    /** Where the ConfigMap of the settings is. */
    readonly settingsNamespace: string;
    /** `key`: of what changed, where it is one object. */
    readonly onChange: (resource: string, key?: string) => void;
  }): Watched[] {
    const watched = watcher(options);
    const of = (resource: keyof typeof resources) => ({ resource, target: resources[resource] });
    const isOurs = `metadata.name=${this.#node}`;
    this.configmaps.onLeft = () => {
      options.onChange('configmaps');
    };
    return [
      watched({
        ...{ ...of('keepalivepolicies'), doubt },
        store: this.keepalivepolicies,
        trim: (object) => specAlone(policyRecord('KeepalivePolicy', object)),
        isHeld: isOfSameSpec,
      }),
      watched({
        ...{ ...of('clusterkeepalivepolicies'), doubt },
        store: this.clusterkeepalivepolicies,
        trim: (object) => specAlone(policyRecord('ClusterKeepalivePolicy', object)),
        isHeld: isOfSameSpec,
      }),
      watched({
        ...{ resource: 'configmaps', store: this.configmaps, trim: settingsRecord },
        target: { ...resources.configmaps, namespace: options.settingsNamespace },
        fieldSelector: `metadata.name=${SETTINGS_NAME}`,
      }),
      watched({
        ...of('pods'),
        store: this.pods,
        fieldSelector: `spec.nodeName=${this.#node}`,
        trim: podOfNode,
      }),
      watched({
        ...of('namespaces'),
        store: this.namespaces,
        trim: (object) => ({
          ...labelledRecord(object),
          isEnding: object.metadata.deletionTimestamp !== undefined,
        }),
      }),
      watched({
        ...of('daemonsets'),
        target: { ...resources.daemonsets, namespace: this.#home },
        store: this.daemonsets,
        trim: daemonSetRecord,
      }),
      watched({ ...of('nodes'), store: this.nodes, fieldSelector: isOurs, trim: labelledRecord }),
      watched({
        ...of('nodekeepalives'),
        store: this.nodekeepalives,
        fieldSelector: isOurs,
        trim: ({ metadata, status }) => ({ uid: metadata.uid, status: status ?? {} }),
      }),
    ];
  }
}

/** One that has ended has no sandbox any more, and stays in the API for as long as whoever made it likes. */
function podOfNode(object: KubeObject): NodePod | undefined {
  const pod = nodePod(object);
  return pod.ended ? undefined : pod;
}

/** The controller's writes into a status are no news to an agent, nor is the version that each of them gives the object. */
function specAlone(record: PolicyRecord): PolicyRecord {
  return { ...record, status: {}, resourceVersion: undefined };
}

/** Nothing of an object that an agent reads changes without one of these: what a status write costs it is this comparison. */
export function isOfSameSpec({ metadata }: KubeObject, { uid, generation }: PolicyRecord): boolean {
  return metadata.uid === uid && metadata.generation === generation;
}
