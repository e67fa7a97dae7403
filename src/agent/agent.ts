import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { AGENT_NAME } from '../api/group.ts';
import { ApiClient } from '../kube/client.ts';
import { openConnection } from '../kube/connection.ts';
import { answered, requirementsHold } from '../kube/requirement.ts';
import { until } from '../kube/until.ts';
import type { Watched } from '../kube/watched.ts';
import { readingOfWatched } from '../kube/watched.ts';
import type { AgentMetrics } from '../ops/agent-metrics.ts';
import { createAgentMetrics } from '../ops/agent-metrics.ts';
import type { AgentConfig } from '../ops/config.ts';
import { settingsNamespaceOf } from '../ops/config.ts';
import { HealthServer } from '../ops/health.ts';
import { giveBackMemory } from '../ops/heap.ts';
import type { Log } from '../ops/log.ts';
import { tellSettings } from '../ops/settings.ts';
import { checksOf } from './checks.ts';
import { Connections } from './connections/connections.ts';
import { ownDaemonSet } from './daemonset.ts';
import { wasUninstalled } from './farewell.ts';
import { KernelLink } from './kernel-link.ts';
import { requirements } from './requirement.ts';
import { Reporter } from './reporter.ts';
import { Rounds } from './rounds.ts';
import { SocketLink } from './connections/socket-link.ts';
import { Standstill } from './standstill.ts';
import { Succession } from './succession.ts';
import { World } from './world.ts';

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly log: Log;
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

/** Beside the bundle; where the agent runs from its sources there is none. */
const programFile = fileURLToPath(new URL('./keepalive.bpf.o', import.meta.url));
const mostPlacesTold = 10;
/** By these it turns out whether another agent follows. */
const tellOfOthers: ReadonlySet<string> = new Set(['daemonsets', 'namespaces', 'nodes']);

/**
 * Runs until `signal` aborts. Resolves when no write is under way any more; where the product was uninstalled,
 * when everything is as it was found.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const agent = await Agent.open(options);
  try {
    await agent.run();
  } finally {
    await agent.close();
  }
}

class Agent {
  readonly #options: AgentOptions;
  readonly #client: ApiClient;
  readonly #metrics: AgentMetrics;
  readonly #world: World;
  readonly #kernel: KernelLink;
  readonly #reporter: Reporter;
  readonly #connections: Connections;
  readonly #rounds: Rounds;
  readonly #standstill: Standstill;
  readonly #succession: Succession;
  readonly #watched: readonly Watched[];
  /** Ends the watches: later than the signal, since policies that go with an uninstallation are still heard of. */
  readonly #watching = new AbortController();
  #health: HealthServer | undefined;
  /** The name of its DaemonSet, once its own pod was read. */
  #daemonSet: string | undefined;

  private constructor(options: AgentOptions, client: ApiClient, counted: { by?: AgentMetrics }) {
    const { config, log, version } = options;
    this.#options = options;
    this.#client = client;
    this.#world = new World(config.nodeName, config.podNamespace);
    this.#kernel = new KernelLink({
      procRoot: config.procRoot,
      ledgerFile: join(config.stateFolder, 'ledger'),
      objectFile: config.connections === 'Descriptors' ? undefined : programFile,
    });
    this.#watched = this.#world.watchAll({
      ...{ client, log, settingsNamespace: settingsNamespaceOf(config) },
      onChange: (resource) => {
        if (resource === 'configmaps') tellSettings(this.#world.settings, log);
        if (tellOfOthers.has(resource)) this.#succession.look();
        if (resource === 'nodekeepalives') this.#reporter.lookAgain();
        else if (resource !== 'daemonsets') this.#rounds.request();
      },
    });
    this.#succession = new Succession({
      ...{ world: this.#world, log },
      onTurn: (isLast) => {
        // While it may: an uninstallation takes its rights before it is told to end.
        if (isLast) void this.#withdraw();
        else this.#rounds.request();
      },
    });
    this.#metrics = createAgentMetrics({
      version,
      places: () => this.#rounds.places,
      reflectors: () => this.#watched.map(readingOfWatched),
    });
    counted.by = this.#metrics;
    this.#reporter = new Reporter({
      ...{ client, log, world: this.#world, node: config.nodeName },
      intervalMs: config.reportSeconds * 1000,
    });
    this.#kernel.onReach = ({ means }) => {
      log.info({ ...means }, 'how connections are reached');
      this.#rounds.request();
    };
    const metrics = this.#metrics;
    this.#connections = new Connections({
      ...{ link: new SocketLink({ procRoot: config.procRoot, log }), kernel: this.#kernel, log, metrics },
      countMs: config.countSeconds * 1000,
      onCounted: () => {
        this.#rounds.request();
      },
    });
    this.#standstill = new Standstill(join(config.stateFolder, 'standstill'));
    this.#rounds = new Rounds({
      ...{
        standstill: this.#standstill,
        world: this.#world,
        kernel: this.#kernel,
        connections: this.#connections,
      },
      isLast: () => this.#succession.isLast,
      ...{ reporter: this.#reporter, log, version, metrics, peers: config.peerAddresses },
      ...{ node: config.nodeName, resyncMs: config.resyncSeconds * 1000 },
    });
  }

  static async open(options: AgentOptions): Promise<Agent> {
    const counted: { by?: AgentMetrics } = {};
    const client = new ApiClient(await openConnection(options.environment), {
      userAgent: `${AGENT_NAME}/${options.version}`,
      onExchange: (exchange) => counted.by?.requested(exchange),
    });
    return new Agent(options, client, counted);
  }

  async run(): Promise<void> {
    const { config, log } = this.#options;
    // Without the thread there is nothing to do and nothing to put back: another process may fare better.
    const ended = new AbortController();
    this.#kernel.broken.catch((error: unknown) => {
      ended.abort(error);
    });
    const signal = AbortSignal.any([this.#options.signal, ended.signal]);
    this.#health = await this.#serve();
    log.info({ ...config.metricsAddress }, 'serving /metrics, /livez and /readyz');
    giveBackMemory();
    await until(this.#kernel.turn, signal);
    // What the other agent of this node changed is its own to put back.
    if (this.#kernel.isOurTurn) await this.#act(signal);
    ended.signal.throwIfAborted();
    if (this.#kernel.isOurTurn) await this.#leave();
  }

  async #act(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const { ignoredLines } = await this.#kernel.turn;
    if (ignoredLines > 0)
      log.warn(
        { lines: ignoredLines },
        'what the ledger of this node says there is not believed, nor put back',
      );
    // Without the API server too: what was set before this process came is held, whoever undoes it.
    this.#rounds.holdRemembered();
    if (await this.#mayBegin(signal)) {
      for (const { reflector } of this.#watched) void reflector.run(this.#watching.signal);
      await until(Promise.all(this.#watched.map(({ reflector }) => reflector.whenSynced)), signal);
      if (!signal.aborted) {
        if (this.#world.configmaps.size === 0) this.#beginWithoutSettings();
        log.info(
          Object.fromEntries(this.#watched.map(({ resource, store }) => [resource, store.size])),
          'synced',
        );
        this.#succession.begin(this.#daemonSet ?? '');
        this.#rounds.start();
        await until(new Promise(() => undefined), signal);
      }
    }
  }

  /** An agent before this one may have heard what they said, and they may have gone a moment ago. */
  #beginWithoutSettings(): void {
    if (this.#standstill.isNoted) this.#world.holdSwitchedOff();
    tellSettings(this.#world.settings, this.#options.log);
  }

  /** False where it is told to end before the API server answers. */
  async #mayBegin(signal: AbortSignal): Promise<boolean> {
    const { log, config } = this.#options;
    const pod = { namespace: config.podNamespace, name: config.podName };
    if (!(await requirementsHold(this.#client, requirements, { log, signal }))) return false;
    const ask = () => ownDaemonSet(this.#client, pod, { signal });
    this.#daemonSet = await answered(ask, { log, signal, patience: 3 });
    return this.#daemonSet !== undefined;
  }

  async close(): Promise<void> {
    await this.#rounds.stop();
    await this.#connections.stop();
    await this.#reporter.stop();
    this.#watching.abort();
    this.#world.configmaps.close();
    await this.#health?.close();
    await this.#client.close();
    await this.#kernel.close();
  }

  /** Values stay for the agent that follows; where none does, they go back to what was found. */
  async #leave(): Promise<void> {
    const { log } = this.#options;
    const uninstalled = await this.#isUninstalled();
    // Every triple under way is whole before this resolves.
    await this.#rounds.stop();
    // What may take longer than this process has left: an API server that does not answer the report under way, and a
    // program that is being loaded for connections.
    const reported = this.#reporter.stop();
    if (uninstalled !== true) {
      await Promise.all([reported, this.#connections.stop()]);
      log.info({ uninstalled }, 'values stay for the agent that follows');
      return;
    }
    try {
      await this.#restore();
    } finally {
      await Promise.all([this.#withdraw(), this.#removeConnections()]);
    }
  }

  async #withdraw(): Promise<void> {
    await this.#reporter.withdraw().catch((error: unknown) => {
      this.#options.log.info({ reason: (error as Error).message }, 'NodeKeepalive left in place');
    });
  }

  async #removeConnections(): Promise<void> {
    await this.#connections.stop();
    await this.#kernel.removeConnections();
  }

  async #restore(): Promise<void> {
    const { log } = this.#options;
    const { back, left } = await this.#kernel.restoreAll();
    this.#standstill.note(false);
    const namespaces = back.length;
    if (left.length === 0) log.info({ namespaces }, 'uninstalled: every value is as it was found');
    else
      log.warn(
        { namespaces, left: left.length, places: left.slice(0, mostPlacesTold) },
        'uninstalled: some values could not go back, for the reasons that are told of the first of these places; those of a pod go with it, those of the host with its next start, and an agent that is installed once more puts back what it can',
      );
  }

  async #isUninstalled(): Promise<boolean | 'unknown'> {
    const own = this.#daemonSet;
    // Told to end before it knew whom it belongs to: it has changed nothing, and guesses nothing.
    if (own === undefined) return 'unknown';
    return wasUninstalled(this.#client, {
      namespace: this.#options.config.podNamespace,
      isFollowed: (daemonSets) => this.#world.isFollowed(own, daemonSets),
      hasSeenTheEnd: () => this.#world.daemonsets.synced && !this.#world.isFollowed(own),
    });
  }

  #serve(): Promise<HealthServer> {
    return HealthServer.start({
      ...this.#options.config.metricsAddress,
      ...checksOf({
        ...{ watched: this.#watched, kernel: this.#kernel },
        ...{ reporter: this.#reporter, rounds: this.#rounds },
      }),
      metrics: async () => ({
        contentType: this.#metrics.registry.contentType,
        text: await this.#metrics.registry.metrics(),
      }),
    });
  }
}
