import type { Account } from '../kube/account.ts';
import type { ApiClient } from '../kube/client.ts';
import { sleep, systemClock } from '../kube/clock.ts';
import { EventRecorder } from '../kube/events.ts';
import { Lease } from '../kube/lease.ts';
import type { Next } from '../kube/queue.ts';
import { WorkQueue } from '../kube/queue.ts';
import { requirementsHold } from '../kube/requirement.ts';
import { until } from '../kube/until.ts';
import type { Watched } from '../kube/watched.ts';
import { isHalfHeard, readingOfWatched } from '../kube/watched.ts';
import type { ControllerConfig } from '../ops/config.ts';
import { agentNamespaceOf } from '../ops/config.ts';
import type { ControllerMetrics } from '../ops/controller-metrics.ts';
import type { Log } from '../ops/log.ts';
import type { ReflectorReading } from '../ops/metrics.ts';
import type { PolicyReading } from '../ops/policy-metrics.ts';
import { tellSettings } from '../ops/settings.ts';
import { Activations } from './activation.ts';
import type { Admission } from './admission-mode.ts';
import { Applier } from './apply.ts';
import { ownerOf } from './line.ts';
import { LeftReports } from './left-reports.ts';
import { Looks } from './look.ts';
import { Pace } from './pace.ts';
import { knowsEnoughToAnswer, unreadyOf } from './readiness.ts';
import { Readings } from './reading.ts';
import { Reconciler } from './reconciler.ts';
import { Removal } from './removal.ts';
import { assertNotRenamed, assertWebhookNotRenamed } from './renamed.ts';
import { requirementsOf } from './requirement.ts';
import type { ResourceName } from './resource.ts';
import { Triggers } from './trigger.ts';
import { Unheard } from './unheard.ts';
import { watchAll, watchPolicies, watchRefusals, watchRefusedPods } from './watch.ts';
import { WebhookPart } from './webhook-part.ts';
import { Witness } from './witness.ts';
import { World } from './world.ts';

export interface ControllerOptions {
  readonly config: ControllerConfig;
  readonly log: Log;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
  readonly client: ApiClient;
  /** Where it is none of the cluster, whatever it leaves belongs to nobody. */
  readonly account?: () => Account | undefined;
  readonly metrics: ControllerMetrics;
  readonly admission: Admission;
}

/** A Deployment that is deleted alone, without its pods, leaves a controller that has to begin anew. */
const orphanedMs = 60_000;

/** A policy waits for so long at a time until every watch is heard again. */
const hearingMs = 250;

/** Looks after policies, in the replica that leads, and answers API servers in each. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #client: ApiClient;
  readonly #metrics: ControllerMetrics;
  readonly #world: World;
  readonly #activations = new Activations(systemClock);
  readonly #queue: WorkQueue;
  readonly #triggers: Triggers;
  readonly #applier: Applier;
  readonly #reconciler: Reconciler;
  readonly #witness: Witness;
  readonly #events: EventRecorder;
  readonly #lease: Lease;
  readonly #watched: readonly Watched[];
  readonly #unheard: Unheard;
  readonly #refusals: Watched;
  readonly #refusedPods: Watched;
  readonly #removal: Removal;
  readonly #webhook: WebhookPart | undefined;
  /** Ends the watches: later than the signal, since work under way still reads. */
  readonly #watching = new AbortController();
  /** What each policy was last found to be. */
  readonly #readings = new Readings();
  #readsRefusals = false;

  constructor(options: ControllerOptions) {
    const { config, log, client, metrics, admission } = options;
    this.#options = options;
    this.#client = client;
    this.#metrics = metrics;
    const withoutAgents = config.agents === 'none';
    const { podNamespace: home } = config;
    this.#world = new World(agentNamespaceOf(config), { mode: admission.mode, home, withoutAgents });
    this.#removal = new Removal(() => this.#world.deployments.list());
    this.#queue = new WorkQueue({
      ...{ work: (key) => this.#work(key), concurrency: config.concurrency, log },
      // What one namespace piles up keeps only its own policies waiting.
      ownerOf,
    });
    this.#triggers = new Triggers(this.#world, this.#queue);
    const watching = {
      ...{ client, log, world: this.#world },
      onChange: (resource: ResourceName, key: string, before: unknown) => {
        this.#changed(resource, key, before);
      },
    };
    if (admission.mode === 'webhook')
      this.#webhook = new WebhookPart({
        ...{ watching, metrics, address: config.webhookAddress },
        isSynced: () => knowsEnoughToAnswer(this.#watched),
      });
    this.#watched = [
      ...watchAll(watching),
      ...(admission.servesPolicies ? watchPolicies(watching) : []),
      ...(this.#webhook?.watched ?? []),
    ];
    this.#unheard = new Unheard({
      ...{ watched: this.#watched, clock: systemClock, log },
      onNews: () => {
        this.#triggers.heardOtherwise();
      },
    });
    this.#refusals = watchRefusals(watching);
    this.#refusedPods = watchRefusedPods(watching, (namespace) => {
      this.#triggers.refused(namespace);
    });
    this.#events = new EventRecorder({
      client,
      reportingController: `keepalive.dev/controller`,
      reportingInstance: config.podName,
      log,
    });
    const pace = new Pace(systemClock);
    this.#applier = new Applier({
      ...{ client, events: this.#events, log, world: this.#world, pace },
      isLeading: () => this.#lease.leading,
    });
    this.#lease = new Lease({
      ...{ client, log, account: options.account },
      ...{ namespace: config.podNamespace, name: config.leaseName, identity: config.podName },
      onLeaderChanged: (leader) => {
        log.info({ leader: leader ?? 'nobody' }, 'leader changed');
      },
    });
    this.#witness = new Witness({
      ...{ client, log, world: this.#world, activations: this.#activations, clock: systemClock },
      namespace: config.podNamespace,
      isInterrupted: () => isHalfHeard(this.#watched),
      onNews: (policies) => {
        this.#triggers.evidenceFound(policies);
      },
      onAnswer: (answer) => {
        this.#metrics.answers.inc({ answer });
      },
    });
    const looks = new Looks({
      ...{ client, world: this.#world, activations: this.#activations },
      evidenceOf: (policy) => this.#witness.evidenceOf(policy),
      unheard: () => this.#unheard.resources,
    });
    this.#reconciler = new Reconciler({
      ...{ looks, applier: this.#applier, activations: this.#activations, pace },
      ...{ readings: this.#readings, metrics },
      onActivation: () => {
        this.#witness.poke();
      },
    });
  }

  get queueDepth(): number {
    return this.#queue.depth;
  }

  get isLeading(): boolean {
    return this.#lease.leading;
  }

  get policyReadings(): Iterable<PolicyReading> {
    return this.#readings.values();
  }

  get policiesInExcess(): number {
    return this.#world.acting.excess;
  }

  readings(): ReflectorReading[] {
    return this.#watched.map(readingOfWatched);
  }

  get agents() {
    return this.#world.agents;
  }

  /**
   * Why this replica is not ready. Whether it has a certificate has no say: the first is made by whoever leads, and in a rollout
   * that is one which goes once this one is ready.
   */
  get unready() {
    return unreadyOf(this.#options.admission.mode, this.#watched);
  }

  async run(): Promise<void> {
    const { log, signal, admission, config } = this.#options;
    const requirements = requirementsOf(admission.mode);
    if (!(await requirementsHold(this.#client, requirements, { log, signal }))) return;
    if (admission.mode === 'webhook')
      await assertWebhookNotRenamed(this.#client, config.podNamespace, { log, signal });
    await this.#webhook?.listen();
    if (!(await this.#know())) return;
    const mayLead = AbortSignal.any([signal, this.#removal.signal]);
    if (await this.#lease.acquire(mayLead)) await this.#lead();
    else if (!signal.aborted) await sleep(systemClock, orphanedMs, signal);
    if (signal.aborted) await this.#webhook?.linger();
  }

  /** Starts to watch, until all is known that is watched; false where the process is asked to end before. */
  async #know(): Promise<boolean> {
    const { log, signal, admission } = this.#options;
    for (const { reflector } of this.#watched) void reflector.run(this.#watching.signal);
    // Not waited for: where the right is missing, everything else goes on.
    void this.#refusedPods.reflector.run(this.#watching.signal);
    // An overlay that renames everything renames the settings too, and their name in the rights: the rest would never be synced.
    const synced = (some: readonly Watched[]) =>
      until(Promise.all(some.map(({ reflector }) => reflector.whenSynced)), signal);
    await synced(this.#watched.filter(({ resource }) => resource === 'mutatingadmissionpolicies'));
    if (signal.aborted) return false;
    if (admission.mode === 'policy') assertNotRenamed(this.#world.mutatingadmissionpolicies.list());
    await synced(this.#watched);
    if (signal.aborted) return false;
    if (this.#world.configmaps.size === 0) tellSettings(this.#world.settings, log);
    log.info(
      Object.fromEntries(this.#watched.map(({ resource, store }) => [resource, store.size])),
      'synced',
    );
    return true;
  }

  async close(): Promise<void> {
    await this.#queue.stop();
    this.#watching.abort();
    this.#world.configmaps.close();
    await this.#webhook?.close();
    await this.#events.flush();
  }

  #settingsChanged(): void {
    tellSettings(this.#world.settings, this.#options.log);
    this.#triggers.settingsChanged();
  }

  /** All work has ended before the lease is let go: the next leader starts at once. */
  async #lead(): Promise<void> {
    const { signal, client, log } = this.#options;
    const release = new AbortController();
    const asking = new AbortController();
    // Before the first look, so that no status says for a moment what it would take back.
    const unheard = this.#unheard.run(asking.signal);
    this.#triggers.start();
    this.#queue.start();
    const witnessed = this.#witness.run(asking.signal);
    const cleared = new LeftReports({ client, log, world: this.#world, clock: systemClock }).run(
      asking.signal,
    );
    const asked = Promise.all([unheard, witnessed, cleared, this.#webhook?.lead(asking.signal)]);
    const held = this.#lease.hold(release.signal);
    await until(held, AbortSignal.any([signal, this.#removal.signal]));
    asking.abort();
    await Promise.all([asked, this.#queue.stop()]);
    if (this.#removal.signal.aborted && this.#lease.leading) await this.#leaveWord();
    release.abort();
    if ((await held) === 'lost') throw new Error('the lease was lost: another replica may lead now');
  }

  /** Nothing may be written after it: what waits for the end of the pod must not say Ready again. */
  async #leaveWord(): Promise<void> {
    const { log, signal } = this.#options;
    const { keepalivepolicies, clusterkeepalivepolicies } = this.#world;
    const policies = [...keepalivepolicies.list(), ...clusterkeepalivepolicies.list()];
    log.info({ policies: policies.length }, 'the Deployment is gone: nobody will look after policies');
    await this.#applier.leaveWord(policies, this.#client.time.now());
    await sleep(systemClock, orphanedMs, signal);
  }

  #changed(resource: ResourceName, key: string, before: unknown): void {
    if (resource === 'deployments') this.#removal.look();
    this.#webhook?.changed(resource);
    // The right to read them comes with the agents.
    if (resource === 'daemonsets' && !this.#readsRefusals) {
      this.#readsRefusals = true;
      void this.#refusals.reflector.run(this.#watching.signal);
    }
    if (resource === 'configmaps') this.#settingsChanged();
    else this.#triggers.changed(resource, key, before);
  }

  async #work(key: string): Promise<Next> {
    // Whatever is still queued when the lead ends is for the next leader.
    if (!this.#lease.leading) return undefined;
    if (isHalfHeard(this.#watched)) return { afterMs: hearingMs };
    return this.#reconciler.reconcile(key);
  }
}
