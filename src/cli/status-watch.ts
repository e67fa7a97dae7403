import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { isForbidden, isUnauthorized, isUnavailable } from '../kube/errors.ts';
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
  /** `old`: of what nothing new is known, and why. */
  readonly show: (facts: StatusFacts, old: readonly string[]) => void;
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
  let told: readonly string[] = [];
  while (!signal.aborted) {
    const old = outdated(watched);
    const isWhole = watched.every(({ store }) => store.synced);
    if (isWhole && (isChanged || !isDeepStrictEqual(old, told))) {
      isChanged = false;
      show(world.facts(), old);
    }
    told = old;
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Whatever is not kept up to date, once for each reason. */
export function outdated(watched: readonly Watched[]): string[] {
  const late = watched.filter(({ reflector }) => reflector.secondsInterrupted > patienceSeconds);
  return [...new Set(late.map(whyOld))];
}

function whyOld({ resource, reflector: { interruptedBy: error } }: Watched): string {
  if (isUnavailable(error))
    return 'what is new: the API server does not answer, and is asked again and again';
  if (isUnauthorized(error))
    return 'what is new: the API server does not accept who you are any more: log in anew, and start again';
  const why = isForbidden(error) ? `you may not watch ${resource}` : (error as Error).message;
  return `what is new of ${resource}: ${why}, so they are shown as they were when they were read last`;
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
    const { plural, namespace } = target;
    const resource = namespace === undefined ? plural : `${plural} in namespace ${namespace}`;
    return this.#watch({ resource, target, store, trim });
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
