import { isDeepStrictEqual } from 'node:util';

import type { Next } from '../kube/queue.ts';
import { WorkQueue } from '../kube/queue.ts';
import type { Log } from '../ops/log.ts';
import type { AgentMetrics } from '../ops/metrics.ts';
import type { SocketReading, SocketTarget } from '../policy/connection.ts';
import type { Place, PodPlace } from '../policy/place.ts';
import type { PodIdentity } from '../policy/pod-identity.ts';
import type { NodeSelections } from '../policy/selection.ts';
import { identitiesOf } from '../policy/selection.ts';
import { scanPeriodSeconds, socketTargets } from '../policy/socket-target.ts';
import type { KernelLink } from './kernel-link.ts';

export interface ConnectionsOptions {
  readonly kernel: KernelLink;
  readonly log: Log;
  readonly metrics: AgentMetrics;
  /**
   * How often every socket is looked at anew and counted; in between only new ones are looked for. Counts change
   * all the time where programs work: this, not every scan, makes a report.
   */
  readonly countMs: number;
  /** Told when there are new counts. */
  readonly onCounted: () => void;
}

const key = 'sockets';
const gatherMs = 500;

/** Looks at open connections as often as the shortest timeout asks, and gives keepalive where a policy says so. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #queue: WorkQueue;
  #targets: readonly SocketTarget[] = [];
  #hostPods: ReadonlySet<PodPlace> = new Set();
  #pods: ReadonlyMap<PodPlace, PodIdentity> = new Map();
  #counted: ReadonlyMap<Place, SocketReading> | undefined;
  #lastCountMs = -Infinity;
  /** Sockets that were looked at before have to be looked at again. */
  #owesAll = false;
  /** Others are selected than were counted last. */
  #isNews = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      ...{ work: () => this.#scan(), concurrency: 1, log: options.log },
      backOff: { minMs: 1000, maxMs: 60_000 },
    });
    this.#queue.start();
  }

  /** By place, as last counted; undefined before the first count. */
  get sockets(): ReadonlyMap<Place, SocketReading> | undefined {
    return this.#counted;
  }

  /** From now on, whom these select; where that is somebody else than before, at once. */
  follow(selections: NodeSelections): void {
    const targets = socketTargets(selections);
    this.#hostPods = new Set(
      selections.pods.filter(({ pod }) => pod.hostNetwork).map(({ pod }) => pod.place),
    );
    this.#pods = identitiesOf(selections);
    if (isDeepStrictEqual(targets, this.#targets)) return;
    const isForMore = this.#asksForMore(targets);
    this.#targets = targets;
    this.#isNews = true;
    // Pods come and go in crowds; what a policy asks anew is owed to every socket.
    if (isForMore) this.#owesAll = true;
    this.#queue.addAfter(key, isForMore ? 0 : gatherMs);
  }

  /** Whether a place that was there has other values or timeouts now. */
  #asksForMore(targets: readonly SocketTarget[]): boolean {
    const before = new Map(this.#targets.map((target) => [target.place, target]));
    return targets.some((target) => {
      const known = before.get(target.place);
      return known !== undefined && !isDeepStrictEqual(known, target);
    });
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #scan(): Promise<Next> {
    const { countMs, metrics, onCounted } = this.#options;
    const targets = this.#targets;
    const startedMs = performance.now();
    const everySocket = this.#owesAll || startedMs - this.#lastCountMs >= countMs;
    // Asked for again while the scan goes on, it is owed again.
    this.#owesAll = false;
    const readings = await this.#readingsOf(targets, everySocket);
    metrics.scans.observe((performance.now() - startedMs) / 1000);
    this.#tell(readings);
    if (everySocket) this.#lastCountMs = startedMs;
    if (everySocket || this.#isNews) {
      this.#isNews = targets !== this.#targets;
      this.#counted = new Map(readings.map((reading) => [reading.place, reading]));
      onCounted();
    }
    const seconds = scanPeriodSeconds(this.#targets);
    return seconds === undefined ? undefined : { afterMs: seconds * 1000 };
  }

  async #readingsOf(
    targets: readonly SocketTarget[],
    everySocket: boolean,
  ): Promise<readonly SocketReading[]> {
    if (targets.length === 0) return [];
    try {
      const [hostPods, pods] = [this.#hostPods, this.#pods];
      return await this.#options.kernel.scan({ targets, hostPods, pods, everySocket });
    } catch (error) {
      this.#owesAll ||= everySocket;
      throw error;
    }
  }

  #tell(readings: readonly SocketReading[]): void {
    const { log, metrics } = this.#options;
    for (const { place, repaired, failures } of readings) {
      if (repaired > 0) {
        metrics.sockets.inc(repaired);
        log.info({ place, sockets: repaired }, 'keepalive given to sockets');
      }
      if (Object.keys(failures).length > 0) log.debug({ place, failures }, 'processes not looked into');
    }
  }
}
