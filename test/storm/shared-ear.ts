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

/** Of each, hearing of a policy: one process makes all their reports. */
const spreadMs = 10;

/** Of thousands of agents that have something to tell at the same time; more would fill the memory of both sides with what waits. */
const writesAtOnce = 32;

/**
 * Agents that hear by one set of watches for all of them, and write each for itself: what is theirs alone is handed to
 * them, what all read is one and the same.
 */
export class SharedEar {
  readonly #agents = new Map<string, PlayedAgent>();
  /** Told soon that something changed. */
  readonly #due = new Set<PlayedAgent>();
  readonly #all = new AgentWorld('-');
  readonly #pods = new Store<NodePod>();
  readonly #client: ApiClient;
  readonly #narrow: ApiClient;
  readonly #log: Log;
  readonly #clock = new TurnClock();

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
    this.#everyone();
  }

  #ofAll(): Watched[] {
    const ofOne = new Set(['pods', 'nodes', 'nodekeepalives', 'daemonsets']);
    return this.#all
      .watchAll({
        ...{ client: this.#client, log: this.#log, settingsNamespace: 'keepalive-system' },
        onChange: () => {
          this.#everyone();
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
        if (resource === 'nodes') hand(this.#agents.get(key), 'nodes', key, nodes.get(key));
        if (resource === 'nodekeepalives')
          hand(this.#agents.get(key), 'nodekeepalives', key, reports.get(key));
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
    for (const node of new Set([before?.node, after?.node])) {
      const agent = node === undefined ? undefined : this.#agents.get(node);
      if (agent === undefined) continue;
      hand(agent, 'pods', key, after?.node === node ? after : undefined);
    }
  }

  #everyone(): void {
    for (const agent of this.#agents.values()) {
      // A list of a thousand policies would be as many timers for each.
      if (this.#due.has(agent)) continue;
      this.#due.add(agent);
      setTimeout(
        () => {
          this.#due.delete(agent);
          agent.heard();
        },
        Math.random() * spreadMs * this.#agents.size,
      ).unref();
    }
  }
}

function hand<K extends 'pods' | 'nodes' | 'nodekeepalives'>(
  agent: PlayedAgent | undefined,
  resource: K,
  key: string,
  value: ReturnType<World[K]['get']>,
): void {
  if (agent === undefined) return;
  const store = agent.world[resource] as unknown as Store<NodePod>;
  if (value === undefined) store.delete(key);
  else store.set(key, value as NodePod);
  if (resource === 'nodekeepalives') agent.reporter.lookAgain();
  else agent.heard();
}
