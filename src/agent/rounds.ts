import type { Clock } from '../kube/clock.ts';
import { systemClock } from '../kube/clock.ts';
import type { Next } from '../kube/queue.ts';
import { WorkQueue } from '../kube/queue.ts';
import type { Log } from '../ops/log.ts';
import type { AgentMetrics } from '../ops/agent-metrics.ts';
import { nodeReport } from '../policy/node-report.ts';
import type { Reading } from '../policy/reading.ts';
import { sandboxedIn } from '../policy/reading.ts';
import type { Place } from '../policy/place.ts';
import type { NodeSelections } from '../policy/selection.ts';
import { identitiesOf, selectOnNode } from '../policy/selection.ts';
import { shorthand } from '../api/triple.ts';
import type { PeerAddresses } from '../policy/connection-report.ts';
import type { Discovery } from '../policy/tracker.ts';
import type { Connections } from './connections/connections.ts';
import type { KernelLink, Visited } from './kernel-link.ts';
import { Places } from './places.ts';
import type { Reporter } from './reporter.ts';
import type { Standstill } from './standstill.ts';
import type { World } from './world.ts';

export interface RoundsOptions {
  readonly world: World;
  readonly kernel: Pick<KernelLink, 'visit' | 'holdRemembered' | 'discover' | 'reach'>;
  readonly connections: Pick<Connections, 'follow' | 'sockets'>;
  readonly reporter: Pick<Reporter, 'offer'>;
  readonly standstill: Standstill;
  /** Whether no agent follows this one. */
  readonly isLast: () => boolean;
  readonly log: Log;
  readonly metrics: AgentMetrics;
  readonly node: string;
  readonly version: string;
  readonly peers: PeerAddresses;
  /** How often everything is looked at although nothing changed: what somebody else changes is found then. */
  readonly resyncMs: number;
  readonly clock?: Clock;
}

const key = 'node';
const longestRestMs = 1000;
/** What a next try puts right is right by then. */
const failingSeconds = 60;
const nothing: Visited = { readings: [], walkMs: undefined };

/**
 * Gather, decide, apply, report, for the whole node at once: what changed is asked of what is wanted now, so an
 * event only ever says that it is time. One round at a time; events during one make for another after it.
 */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #places = new Places();
  readonly #queue: WorkQueue;
  readonly #clock: Clock;
  #started = false;
  #failing: { readonly sinceMs: number; readonly why: string } | undefined;
  #lastResyncMs = -Infinity;
  /** After a round it rests for as long as deciding took: over a heap of policies, events in crowds would leave no time for anything else. */
  #restUntilMs = -Infinity;
  #discovery: Discovery | undefined;
  #isLookedThrough = true;
  /** Why a place was last left as it is: said once, and not at each try. */
  readonly #complaints = new Map<Place, string>();

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#queue = new WorkQueue({
      ...{ work: () => this.#attempt(), concurrency: 1, log: options.log, clock: this.#clock },
      backOff: { minMs: 50, maxMs: 10_000 },
    });
    this.#queue.start();
  }

  /** How many network namespaces are looked after. */
  get places(): number {
    return this.#places.names.size;
  }

  /** Why what is told of this node is old: no round has ended well for a while, whatever else goes on. */
  get failure(): string | undefined {
    if (this.#failing === undefined) return undefined;
    const seconds = Math.round((this.#clock.now() - this.#failing.sinceMs) / 1000);
    return seconds < failingSeconds
      ? undefined
      : `this node could not be looked at for ${seconds} s, so what is told of it is old: ${this.#failing.why}`;
  }

  /** Until {@link start}: what an earlier agent left set is put right again whenever it was undone. */
  holdRemembered(): void {
    this.#queue.add(key);
  }

  /** From now on by what the API server says. */
  start(): void {
    this.#started = true;
    this.#queue.add(key);
  }

  /** Not before the back-off of one that failed: an event says nothing of what stood in its way, and there are many of them. */
  request(): void {
    if (this.#started) this.#queue.addAfter(key, 0);
  }

  /** Resolves when the round under way has ended. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #attempt(): Promise<Next> {
    try {
      const next = await this.#next();
      this.#failing = undefined;
      return next;
    } catch (error) {
      const { message: why } = error as Error;
      this.#failing = { sinceMs: this.#failing?.sinceMs ?? this.#clock.now(), why };
      throw error;
    }
  }

  async #next(): Promise<Next> {
    const { kernel, resyncMs, standstill, isLast } = this.#options;
    if (this.#started) {
      // What was decided last stands, and what was ordered goes on: what it would be decided from now is going too, in any order.
      if (isLast()) return { afterMs: resyncMs };
      const restMs = this.#restUntilMs - this.#clock.now();
      return restMs > 0 ? { afterMs: restMs } : this.#round();
    }
    if (!standstill.isNoted) this.#tell((await kernel.holdRemembered()).readings);
    return { afterMs: resyncMs };
  }

  async #round(): Promise<Next> {
    const { kernel, resyncMs, world, standstill } = this.#options;
    const startedMs = this.#clock.now();
    const everything = startedMs - this.#lastResyncMs >= resyncMs;
    const selections = selectOnNode(world.gather());
    const readOnly = world.settings.settings.acting === 'Audit';
    standstill.note(readOnly);
    const visits = this.#places.plan(selections, { nowMs: startedMs, everything, readOnly });
    const decidingMs = this.#clock.now() - startedMs;
    const { readings, walkMs } =
      visits.length === 0 ? nothing : await kernel.visit(visits, identitiesOf(selections));
    if (everything) {
      this.#lastResyncMs = startedMs;
      for (const place of this.#complaints.keys())
        if (!this.#places.names.has(place)) this.#complaints.delete(place);
      this.#discovery = await this.#discover();
    }
    const nowMs = this.#clock.now();
    this.#places.take(readings, { nowMs, walkMs });
    if (walkMs !== undefined) this.#options.metrics.walks.observe(walkMs / 1000);
    if (visits.length > 0) this.#options.metrics.rounds.observe((nowMs - startedMs) / 1000);
    this.#tell(readings);
    this.#report(selections);
    this.#restUntilMs = nowMs + Math.min(longestRestMs, decidingMs);
    const resyncInMs = this.#lastResyncMs + resyncMs - nowMs;
    return { afterMs: Math.max(1, Math.min(resyncInMs, this.#places.nextDueMs(nowMs) ?? Infinity)) };
  }

  /** What could not be looked at is as it was; nothing depends on it. Said once, and not at each try. */
  async #discover(): Promise<Discovery | undefined> {
    const { kernel, log } = this.#options;
    try {
      const discovery = await kernel.discover();
      this.#isLookedThrough = true;
      return discovery;
    } catch (error) {
      if (this.#isLookedThrough) log.warn({ reason: (error as Error).message }, 'node not looked through');
      this.#isLookedThrough = false;
      return this.#discovery;
    }
  }

  #report(selections: NodeSelections): void {
    const { node, version, reporter, connections, peers, kernel } = this.#options;
    const { readings } = this.#places;
    // Whoever looks after connections is known in a moment, and asks for another round.
    if (kernel.reach === undefined) return;
    const { means } = kernel.reach;
    connections.follow(selections, sandboxedIn(readings));
    const { sockets } = connections;
    const discovery = this.#discovery;
    const input = { node, agentVersion: version, selections, readings, sockets, peers, discovery, means };
    reporter.offer(() => nodeReport(input));
  }

  /** A line for each namespace whose values changed, or that cannot be entered. */
  #tell(readings: readonly Reading[]): void {
    const { log, metrics } = this.#options;
    for (const { place, wrote, now, faults, reason, putRight, override } of readings) {
      const where = { place, of: this.#places.podAt(place) };
      if (reason !== undefined && this.#complaints.get(place) !== reason)
        log.warn({ ...where, reason }, 'network namespace left as it is');
      if (reason === undefined) this.#complaints.delete(place);
      else this.#complaints.set(place, reason);
      if (putRight) metrics.repairs.inc();
      if (Object.keys(wrote).length === 0) continue;
      metrics.writes.inc();
      const after = { now: shorthandOf(now), ...(putRight ? { overriddenWith: override?.seen } : {}) };
      if (faults.length === 0) log.info({ ...where, wrote, ...after }, 'values written');
      else log.warn({ ...where, wrote, ...after, faults }, 'values not all written');
    }
  }
}

function shorthandOf({ timeSeconds = 0, intervalSeconds = 0, probes = 0 }: Reading['now']): string {
  return shorthand({ timeSeconds, intervalSeconds, probes });
}
