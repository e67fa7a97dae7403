import type { World } from '../../src/agent/world.ts';
import { World as AgentWorld } from '../../src/agent/world.ts';
import type { ApiClient } from '../../src/kube/client.ts';
import type { Log } from '../../src/kube/log.ts';
import { Store } from '../../src/kube/store.ts';
import type { Watched } from '../../src/kube/watched.ts';
import { watcher } from '../../src/kube/watched.ts';
import type { NodePod } from '../../src/policy/node-pod.ts';
import { nodePod } from '../../src/policy/node-pod.ts';
import { labelledRecord } from '../../src/policy/record.ts';
import { PlayedAgent } from './played-agent.ts';
import { resourceOf } from './crowd.ts';
import { narrowed } from './narrowed.ts';
import { TurnClock } from './turn-clock.ts';

/** Of thousands of agents that have something to tell at the same time; more would fill the memory of both sides with what waits. */
const writesAtOnce = 32;

/**
 * Agents that hear by one set of watches for all of them, and write each for itself: what is theirs alone is handed to
 * them, what all read is one and the same.
 */
export class SharedEar {
  readonly #agents = new Map<string, PlayedAgent>();
  readonly #all = new AgentWorld('-');
  readonly #pods = new Store<NodePod, 'namespace'>({ namespace: ({ namespace }) => [namespace] });
  readonly #client: ApiClient;
  readonly #narrow: ApiClient;
  readonly #log: Log;
  readonly #clock = new TurnClock();
  /** As a real one does, none of them tells anything before it has read everything. */
  #isSynced = false;

  constructor(client: ApiClient, log: Log) {
    this.#client = client;
    this.#narrow = narrowed(client, writesAtOnce);
    this.#log = log;
  }

  get agents(): Iterable<PlayedAgent> {
    return this.#agents.values();
  }

  add(node: string): void {
    const { keepalivepolicies, clusterkeepalivepolicies, namespaces, configmaps } = this.#all;
    const shared = { keepalivepolicies, clusterkeepalivepolicies, namespaces, configmaps };
    const world: World = Object.assign(new AgentWorld(node), shared);
    const shares = { client: this.#narrow, log: this.#log, clock: this.#clock };
    this.#agents.set(node, new PlayedAgent({ ...shares, node }, world));
  }

  async listen(signal: AbortSignal): Promise<void> {
    const watched = [...this.#ofAll(), ...this.#ofEach()];
    for (const { reflector } of watched) void reflector.run(signal);
    await Promise.all(watched.map(({ reflector }) => reflector.whenSynced));
    this.#isSynced = true;
    this.#wake(this.agents);
  }

  /** How long one of them had to wait for the others at most, since this was asked last: no real one does. */
  takeLongestTurnMs(): number {
    return this.#clock.takeLongestWaitMs();
  }

  #ofAll(): Watched[] {
    const ofOne = new Set(['pods', 'nodes', 'nodekeepalives', 'daemonsets']);
    return this.#all
      .watchAll({
        ...{ client: this.#client, log: this.#log, settingsNamespace: 'keepalive-system' },
        onChange: (resource, key) => {
          this.#wake(this.#concerned(resource, key));
        },
      })
      .filter(({ resource }) => !ofOne.has(resource));
  }

  #ofEach(): Watched[] {
    const nodes = new Store<ReturnType<typeof labelledRecord>>();
    const reports = new Store<{ uid: string; status: object }>();
    const watched = watcher({
      ...{ client: this.#client, log: this.#log },
      onChange: (resource, key, before) => {
        if (resource === 'pods') this.#podChanged(key, before as NodePod | undefined);
        if (resource === 'nodes') this.#hand(key, 'nodes', [key, nodes.get(key)]);
        if (resource === 'nodekeepalives') this.#hand(key, 'nodekeepalives', [key, reports.get(key)]);
      },
    });
    return [
      watched({ resource: 'pods', target: resourceOf.pods, store: this.#pods, trim: nodePod }),
      watched({ resource: 'nodes', target: resourceOf.nodes, store: nodes, trim: labelledRecord }),
      watched({
        ...{ resource: 'nodekeepalives', target: resourceOf.nodekeepalives, store: reports },
        trim: ({ metadata, status }) => ({ uid: metadata.uid, status: status ?? {} }),
      }),
    ];
  }

  #podChanged(key: string, before: NodePod | undefined): void {
    const after = this.#pods.get(key);
    for (const node of new Set([before?.node, after?.node]))
      if (node !== undefined) this.#hand(node, 'pods', [key, after?.node === node ? after : undefined]);
  }

  #hand<K extends 'pods' | 'nodes' | 'nodekeepalives'>(
    node: string,
    resource: K,
    [key, value]: readonly [string, ReturnType<World[K]['get']>],
  ): void {
    const agent = this.#agents.get(node);
    if (agent === undefined) return;
    const store = agent.world[resource] as unknown as Store<NodePod>;
    if (value === undefined) store.delete(key);
    else store.set(key, value as NodePod);
    if (resource === 'nodekeepalives') agent.reporter.lookAgain();
    else this.#wake([agent]);
  }

  /** Whom a change may give something to tell: the others would look at their node and find what they have told already. */
  #concerned(resource: string, key = ''): Iterable<PlayedAgent> {
    if (resource !== 'keepalivepolicies' && resource !== 'namespaces') return this.agents;
    const [namespace = ''] = key.split('/');
    const nodes = new Set(this.#pods.listBy('namespace', namespace).map(({ node }) => node));
    return [...nodes].flatMap((node) => (node === undefined ? [] : (this.#agents.get(node) ?? [])));
  }

  /** At once, as each would hear of it: by the reporter's clock they tell one after the other. */
  #wake(agents: Iterable<PlayedAgent>): void {
    if (this.#isSynced) for (const agent of agents) agent.heard();
  }
}
