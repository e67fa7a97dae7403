import { isDeepStrictEqual } from 'node:util';

import type { Next } from '../../kube/queue.ts';
import { WorkQueue } from '../../kube/queue.ts';
import type { Log } from '../../ops/log.ts';
import type { AgentMetrics } from '../../ops/agent-metrics.ts';
import type { SocketReading, SocketTarget } from '../../policy/connection.ts';
import type { Place, PodPlace } from '../../policy/place.ts';
import type { PodIdentity } from '../../policy/pod-identity.ts';
import type { NodeSelections } from '../../policy/selection.ts';
import { identitiesOf } from '../../policy/selection.ts';
import {
  heldPlaces,
  heldTargets,
  nothingSeen,
  socketTargets,
  withUnmet,
} from '../../policy/socket-target.ts';
import type { KernelLink } from '../kernel-link.ts';
import { ServedPlaces, triesUntilUnknown } from './served-places.ts';
import type { SocketLink } from './socket-link.ts';
import type { Looked } from './socket-scan.ts';
import type { Due } from './socket-schedule.ts';
import { SocketSchedule } from './socket-schedule.ts';

export interface ConnectionsOptions {
  readonly link: SocketLink;
  readonly kernel: Pick<KernelLink, 'reach' | 'followConnections' | 'countConnections' | 'endCounts'>;
  readonly log: Log;
  readonly metrics: AgentMetrics;
  /**
   * How often every socket is looked at anew and counted; in between only new ones are looked for. Counts change
   * all the time where programs work: this, not every look, makes a report.
   */
  readonly countMs: number;
  /** Told when there are new counts. */
  readonly onCounted: () => void;
}

const key = 'sockets';
/** Pods come and go in crowds. */
const gatherMs = 500;
/** A first count that is not whole by then is told as far as it is: somebody may see to it that it never is. */
const firstCountMs = 30_000;

/**
 * Looks at the open connections of each place as often as it asks for, and gives keepalive where a policy says so; but for those
 * that the kernel looks after.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #queue: WorkQueue;
  readonly #schedule: SocketSchedule;
  readonly #served: ServedPlaces;
  #hostPods: ReadonlySet<PodPlace> = new Set();
  #pods: ReadonlyMap<PodPlace, PodIdentity> = new Map();
  #targets: readonly SocketTarget[] = [];
  #asked: ReadonlySet<Place> = new Set();
  #counted: Map<Place, SocketReading> | undefined;
  /** Becomes {@link #counted} once it is whole. */
  #first = new Map<Place, SocketReading>();
  /** Of the first count, when it began. */
  #startedMs: number | undefined;
  #failures = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { link, kernel, log, metrics, countMs } = options;
    this.#schedule = new SocketSchedule(countMs);
    this.#queue = new WorkQueue({
      ...{ work: () => this.#look(), concurrency: 1, log },
      backOff: { minMs: 1000, maxMs: 60_000 },
    });
    this.#served = new ServedPlaces({
      ...{ link, kernel, log, metrics, countMs },
      onLeft: (targets) => this.#plan(targets),
      onCounted: (readings) => this.#tell(readings.map((reading) => this.#keep(reading)).includes(true)),
      onIdle: () => this.#restIfIdle(),
    });
    this.#queue.start();
  }

  /** By place, as last counted; undefined before the first count, and where nobody can count. */
  get sockets(): ReadonlyMap<Place, SocketReading> | undefined {
    return this.#counted;
  }

  /** From now on, whom these select, but for those that have a kernel of their own; what a place asks for that it did not is owed at once. */
  follow(selections: NodeSelections, sandboxed: ReadonlySet<Place>): void {
    const ofHost = selections.pods.filter(({ pod }) => pod.hostNetwork).map(({ pod }) => pod);
    this.#hostPods = new Set(ofHost.map(({ place }) => place));
    this.#pods = identitiesOf(selections);
    const before = this.#targets.filter(({ place }) => !sandboxed.has(place));
    this.#targets = heldTargets(selections, socketTargets(selections, sandboxed), before);
    this.#asked = new Set(this.#targets.map(({ place }) => place));
    this.#forgetOthers();
    if (this.#targets.length > 0) this.#startedMs ??= performance.now();
    const running = new Set(ofHost.filter(({ started }) => started).map(({ place }) => place));
    this.#served.follow({
      ...{ targets: this.#targets, hostPods: this.#hostPods, running, pods: this.#pods },
      held: heldPlaces(selections),
    });
    // Otherwise once it is known which of them the kernel looks after.
    if (!this.#served.counts) this.#plan(this.#targets);
  }

  /** Waits for no system call. */
  async stop(): Promise<void> {
    this.#options.link.close();
    await this.#served.stop();
    await this.#queue.stop();
  }

  /** Of these, nobody else looks after the connections. */
  #plan(targets: readonly SocketTarget[]): void {
    const { link, kernel } = this.#options;
    if (kernel.reach?.byDescriptors === false) return this.#nobodyLooksAt(targets);
    const { gone, fresh, asked } = this.#schedule.follow(targets, performance.now());
    link.forget(gone);
    if (asked > 0) this.#queue.add(key);
    else if (fresh + gone.length > 0) this.#queue.addAfter(key, gatherMs);
  }

  #nobodyLooksAt(targets: readonly SocketTarget[]): void {
    // Where nobody looks anywhere, the node says so.
    if (!this.#served.counts) return;
    this.#tell(targets.map((target) => this.#keep(nothingSeen(target, { NotServed: 1 }))).includes(true));
  }

  #forgetOthers(): void {
    const readings = this.#counted ?? this.#first;
    for (const place of readings.keys()) if (!this.#asked.has(place)) readings.delete(place);
  }

  async #look(): Promise<Next> {
    const due = this.#schedule.due(performance.now());
    if (due.length > 0) await this.#lookAt(due);
    // Of nobody, all is known.
    if (this.#targets.length === 0) this.#tell(false);
    const nextMs = this.#schedule.nextDueMs();
    if (nextMs !== undefined) return { afterMs: Math.max(1, nextMs - performance.now()) };
    this.#restIfIdle();
    return undefined;
  }

  #restIfIdle(): void {
    if (this.#schedule.nextDueMs() === undefined && !this.#served.isBusy) this.#options.link.rest();
  }

  async #lookAt(due: readonly Due[]): Promise<void> {
    const { link, metrics } = this.#options;
    const targets = due.map(({ target, everySocket }) => ({ ...target, everySocket }));
    const left = new Map(due.map((one) => [one.target.place, one]));
    const stopTimer = metrics.scans.startTimer();
    const request = { targets, hostPods: this.#hostPods, pods: this.#pods };
    let isNews = false;
    try {
      await link.look(request, (looked) => {
        left.delete(looked.reading.place);
        isNews = this.#take(looked) || isNews;
        // The rest may take a while.
        if (looked.as === 'hung') this.#tell(true);
      });
      this.#failures = 0;
      this.#schedule.giveBack([...left.values()], performance.now());
      this.#tell(isNews);
    } catch (error) {
      this.#fail(due);
      throw error;
    } finally {
      stopTimer();
    }
  }

  #tell(isNews: boolean): void {
    const isFirst = this.#endFirst();
    if (isFirst || (isNews && this.#counted !== undefined)) this.#options.onCounted();
  }

  /** Before the first count there is none of a part of the node, but where somebody takes very long. */
  #endFirst(): boolean {
    if (this.#counted !== undefined) return false;
    const isLate = performance.now() - (this.#startedMs ?? Infinity) > firstCountMs;
    if (!isLate && this.#targets.some(({ place }) => !this.#first.has(place))) return false;
    this.#counted = this.#first;
    return true;
  }

  /** Whether there is something new to report. */
  #take({ reading: seen, cpuMs, as }: Looked): boolean {
    const { log, metrics } = this.#options;
    const { place, repaired, failures } = seen;
    const unmetMs = this.#schedule.looked(place, { cpuMs, as }, performance.now());
    if (as === 'hung') metrics.hangs.inc();
    if (repaired > 0) {
      metrics.sockets.inc(repaired);
      log.info({ place, sockets: repaired }, 'keepalive given to sockets');
    }
    if (Object.keys(failures).length > 0) log.debug({ place, failures }, 'processes not looked into');
    const target = this.#schedule.targetOf(place);
    if (as === 'looked' || target === undefined) return false;
    return this.#keep(this.#served.heard(seen) ?? withUnmet(seen, target, unmetMs));
  }

  /** Whether it says something else than before. */
  #keep(reading: SocketReading): boolean {
    // Nobody may ask about it any more.
    if (!this.#asked.has(reading.place)) return false;
    const counted = this.#counted ?? this.#first;
    const isNews = !isDeepStrictEqual(counted.get(reading.place), reading);
    counted.set(reading.place, reading);
    return isNews;
  }

  #fail(due: readonly Due[]): void {
    this.#schedule.giveBack(due, performance.now());
    this.#failures += 1;
    if (this.#failures !== triesUntilUnknown || this.#counted === undefined) return;
    this.#counted = undefined;
    this.#first = new Map();
    this.#options.onCounted();
  }
}
