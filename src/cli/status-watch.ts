import { setTimeout as delay } from 'node:timers/promises';

import type { KubeObject, Target } from '../kube/resource.ts';
import type { Identified } from '../kube/store.ts';
import { Store } from '../kube/store.ts';
import type { Watched } from '../kube/watched.ts';
import { watcher } from '../kube/watched.ts';
import type { DaemonSetRecord } from '../policy/daemonset.ts';
import type { NamespaceView } from '../policy/pod.ts';
import type { PolicyRecord, Stored } from '../policy/record.ts';
import { labelledRecord, policyRecord } from '../policy/record.ts';
import type { AgentPod } from './agent-pods.ts';
import { agentPod, agentSet, homesOf } from './agent-pods.ts';
import type { Cluster } from './cluster.ts';
import { known } from './cluster.ts';
import { resources } from './resource.ts';
import type { NodeReport, StatusFacts } from './status-facts.ts';
import { nodeReport } from './status-facts.ts';

export interface WatchOptions {
  readonly cluster: Cluster;
  readonly namespace: string | undefined;
  /** As they were read at first: what may not be listed is not watched either. */
  readonly first: StatusFacts;
  /** `silentSeconds`: since the API server was last heard of, where it does not answer. */
  readonly show: (facts: StatusFacts, silentSeconds: number) => void;
  readonly signal: AbortSignal;
}

/** A screen that changes more often cannot be read. */
const everyMs = 1000;
/** An API server that restarts is away for less. */
const patienceSeconds = 5;

/** Shows the facts anew whenever they changed, until the signal aborts. */
export async function watchStatus({ cluster, namespace, first, show, signal }: WatchOptions): Promise<void> {
  let isChanged = true;
  const world = new StatusWorld(cluster, first, () => (isChanged = true));
  const watched = world.watchedFor(namespace, first.agents.known ? await homesOf(cluster) : []);
  for (const { reflector } of watched) void reflector.run(signal);
  let wasSilent = false;
  while (!signal.aborted) {
    const interrupted = Math.max(...watched.map(({ reflector }) => reflector.secondsInterrupted));
    const isSilent = interrupted > patienceSeconds;
    const isWhole = watched.every(({ store }) => store.synced);
    if (isWhole && (isChanged || isSilent !== wasSilent)) {
      isChanged = false;
      show(world.facts(), isSilent ? interrupted : 0);
    }
    wasSilent = isSilent;
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

const silentLog = { info: nothing, warn: nothing, debug: nothing, error: nothing };
function nothing(): void {
  // What a reflector has to say of its tries is told by how long it was interrupted.
}

/** What a watch keeps. */
class StatusWorld {
  readonly #first: StatusFacts;
  readonly #watch: ReturnType<typeof watcher>;
  readonly #namespaced = new Store<PolicyRecord>();
  readonly #cluster = new Store<PolicyRecord>();
  readonly #nodes = new Store<Stored<NamespaceView>>();
  readonly #reports = new Store<NodeReport>();
  /** By the namespace that they are in: each has a watch of its own. */
  readonly #agents = new Map<string, Store<AgentPod>>();
  readonly #agentSets = new Map<string, Store<DaemonSetRecord>>();

  constructor({ client }: Cluster, first: StatusFacts, onChange: () => void) {
    this.#first = first;
    this.#watch = watcher({ client, log: silentLog, onChange });
  }

  watchedFor(namespace: string | undefined, homes: readonly string[]): Watched[] {
    const { cluster, nodes, reports, agentSets } = this.#first;
    const policies = (kind: PolicyRecord['kind']) => (object: KubeObject) => policyRecord(kind, object);
    const { keepalivepolicies, clusterkeepalivepolicies, nodekeepalives } = resources;
    return [
      this.#of({ ...keepalivepolicies, namespace }, this.#namespaced, policies('KeepalivePolicy')),
      ...(cluster.known
        ? [this.#of(clusterkeepalivepolicies, this.#cluster, policies('ClusterKeepalivePolicy'))]
        : []),
      ...(nodes.known ? [this.#of(resources.nodes, this.#nodes, labelledRecord)] : []),
      ...(reports.known ? [this.#of(nodekeepalives, this.#reports, nodeReport)] : []),
      ...homes.map((home) =>
        this.#of({ ...resources.pods, namespace: home }, at(this.#agents, home), agentPod),
      ),
      ...(agentSets.known ? homes : []).map((home) =>
        this.#of({ ...resources.daemonsets, namespace: home }, at(this.#agentSets, home), agentSet),
      ),
    ];
  }

  #of<T extends Identified>(
    target: Target,
    store: Store<T>,
    trim: (object: KubeObject) => T | undefined,
  ): Watched {
    return this.#watch({ resource: target.plural, target, store, trim });
  }

  facts(): StatusFacts {
    const { cluster, nodes, reports, agents, agentSets } = this.#first;
    return {
      namespaced: [...this.#namespaced.list()],
      cluster: cluster.known ? known([...this.#cluster.list()]) : cluster,
      nodes: nodes.known ? known([...this.#nodes.list()]) : nodes,
      reports: reports.known ? known([...this.#reports.list()]) : reports,
      agents: agents.known ? known(allOf(this.#agents)) : agents,
      agentSets: agentSets.known ? known(allOf(this.#agentSets)) : agentSets,
    };
  }
}

function at<T extends Identified>(stores: Map<string, Store<T>>, key: string): Store<T> {
  const store = stores.get(key) ?? new Store<T>();
  stores.set(key, store);
  return store;
}

function allOf<T extends Identified>(stores: ReadonlyMap<string, Store<T>>): T[] {
  return [...stores.values()].flatMap((store) => [...store.list()]);
}
