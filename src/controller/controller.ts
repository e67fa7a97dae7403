import { CONTROLLER_NAME } from '../api/group.ts';
import { ApiClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import { openConnection } from '../kube/connection.ts';
import { EventRecorder } from '../kube/events.ts';
import { Lease } from '../kube/lease.ts';
import type { Next } from '../kube/queue.ts';
import { WorkQueue } from '../kube/queue.ts';
import { requirementsHold } from '../kube/requirement.ts';
import { until } from '../kube/until.ts';
import type { Watched } from '../kube/watched.ts';
import { isHalfHeard, notSynced, silent } from '../kube/watched.ts';
import type { ControllerConfig } from '../ops/config.ts';
import { HealthServer } from '../ops/health.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics, Outcome } from '../ops/metrics.ts';
import { createMetrics } from '../ops/metrics.ts';
import { tellSettings } from '../ops/settings.ts';
import type { Plan } from '../policy/plan.ts';
import { plan } from '../policy/plan.ts';
import { Activations } from './activation.ts';
import { Applier } from './apply.ts';
import { requirements } from './requirement.ts';
import { Triggers } from './trigger.ts';
import { watchAll } from './watch.ts';
import { World } from './world.ts';

export interface ControllerOptions {
  readonly config: ControllerConfig;
  readonly log: Log;
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

/**
 * Runs until `signal` aborts, then hands the lead over and resolves. Rejects with a RequirementError where
 * the cluster lacks what is needed, and where the lead was lost: the process must end then, since another
 * one may act already.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const controller = await Controller.open(options);
  try {
    await controller.run();
  } finally {
    await controller.close();
  }
}

/** A policy waits for so long at a time until every watch is heard again. */
const hearingMs = 250;

class Controller {
  readonly #options: ControllerOptions;
  readonly #client: ApiClient;
  readonly #metrics: Metrics;
  readonly #world = new World();
  readonly #activations = new Activations(systemClock);
  readonly #queue: WorkQueue;
  readonly #triggers: Triggers;
  readonly #applier: Applier;
  readonly #events: EventRecorder;
  readonly #lease: Lease;
  readonly #watched: readonly Watched[];
  /** Ends the watches: later than the signal, since work under way still reads. */
  readonly #watching = new AbortController();
  #health: HealthServer | undefined;

  private constructor(options: ControllerOptions, client: ApiClient, onExchange: { to?: Metrics }) {
    const { config, log, version } = options;
    this.#options = options;
    this.#client = client;
    this.#queue = new WorkQueue({ work: (key) => this.#work(key), concurrency: config.concurrency, log });
    this.#triggers = new Triggers(this.#world, this.#queue, config.agentNamespace);
    this.#watched = watchAll({
      client,
      world: this.#world,
      agentNamespace: config.agentNamespace,
      settingsNamespace: config.podNamespace,
      log,
      onChange: (resource, key) => {
        if (resource === 'configmaps') this.#settingsChanged();
        else this.#triggers.changed(resource, key);
      },
    });
    this.#events = new EventRecorder({
      client,
      reportingController: `keepalive.dev/controller`,
      reportingInstance: config.podName,
      log,
    });
    this.#applier = new Applier({ client, events: this.#events, log, world: this.#world });
    this.#lease = new Lease({
      client,
      namespace: config.podNamespace,
      name: config.leaseName,
      identity: config.podName,
      log,
      onLeaderChanged: (leader) => {
        log.info({ leader: leader ?? 'nobody' }, 'leader changed');
      },
    });
    this.#metrics = createMetrics({
      version,
      component: 'controller',
      queueDepth: () => this.#queue.depth,
      leading: () => this.#lease.leading,
      reflectors: () =>
        this.#watched.map(({ resource, store, reflector }) => ({
          resource,
          objects: store.size,
          secondsSinceContact: reflector.secondsSinceContact,
        })),
    });
    onExchange.to = this.#metrics;
  }

  static async open(options: ControllerOptions): Promise<Controller> {
    const counted: { to?: Metrics } = {};
    const client = new ApiClient(await openConnection(options.environment), {
      userAgent: `${CONTROLLER_NAME}/${options.version}`,
      onExchange: ({ verb, resource, code }) => counted.to?.apiRequests.inc({ verb, resource, code }),
    });
    return new Controller(options, client, counted);
  }

  async run(): Promise<void> {
    const { config, log, signal } = this.#options;
    this.#health = await this.#serve();
    log.info({ ...config.metricsAddress }, 'serving /metrics, /livez and /readyz');
    if (!(await requirementsHold(this.#client, requirements, { log, signal }))) return;
    for (const { reflector } of this.#watched) void reflector.run(this.#watching.signal);
    await until(Promise.all(this.#watched.map(({ reflector }) => reflector.whenSynced)), signal);
    if (signal.aborted) return;
    if (this.#world.configmaps.size === 0) tellSettings(this.#world.settings, log);
    log.info(
      Object.fromEntries(this.#watched.map(({ resource, store }) => [resource, store.size])),
      'synced',
    );
    if (await this.#lease.acquire(signal)) await this.#lead();
  }

  async close(): Promise<void> {
    await this.#queue.stop();
    this.#watching.abort();
    await this.#events.flush();
    await this.#health?.close();
    await this.#client.close();
  }

  #settingsChanged(): void {
    tellSettings(this.#world.settings, this.#options.log);
    this.#triggers.settingsChanged();
  }

  /** All work has ended before the lease is let go: the next leader starts at once. */
  async #lead(): Promise<void> {
    const { signal } = this.#options;
    const release = new AbortController();
    this.#queue.start();
    const held = this.#lease.hold(release.signal);
    await until(held, signal);
    await this.#queue.stop();
    release.abort();
    if ((await held) === 'lost') throw new Error('the lease was lost: another replica may lead now');
  }

  #serve(): Promise<HealthServer> {
    return HealthServer.start({
      ...this.#options.config.metricsAddress,
      live: {},
      ready: {
        synced: () => notSynced(this.#watched),
        contact: () => silent(this.#watched),
      },
      metrics: async () => ({
        contentType: this.#metrics.registry.contentType,
        text: await this.#metrics.registry.metrics(),
      }),
    });
  }

  async #work(key: string): Promise<Next> {
    // Whatever is still queued when the lead ends is for the next leader.
    if (!this.#lease.leading) return undefined;
    if (isHalfHeard(this.#watched)) return { afterMs: hearingMs };
    const startedAt = performance.now();
    const circumstances = this.#world.gather(key, {
      now: new Date(),
      activatingForMs: this.#activations.ofMs(key),
    });
    if (circumstances === undefined) {
      this.#activations.forget(key);
      await this.#applier.clearOrphan(key);
      return undefined;
    }
    const { kind } = circumstances.record;
    let outcome: Outcome = 'failed';
    try {
      const planned = plan(circumstances);
      this.#triggers.noteCost(key, performance.now() - startedAt);
      await this.#applier.apply(circumstances, planned);
      this.#activations.note(key, planned);
      outcome = outcomeOf(planned);
      return planned.againAfterMs === undefined ? undefined : { afterMs: planned.againAfterMs };
    } finally {
      this.#metrics.reconciles.inc({ kind, outcome });
      this.#metrics.reconcileSeconds.observe({ kind }, (performance.now() - startedAt) / 1000);
    }
  }
}

function outcomeOf({ verdict, againAfterMs }: Plan): Outcome {
  if (verdict.kind === 'stalled') return 'stalled';
  return againAfterMs === undefined ? 'done' : 'again';
}
