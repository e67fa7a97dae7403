import type { Next } from '../../kube/queue.ts';
import { WorkQueue } from '../../kube/queue.ts';
import type { Log } from '../../ops/log.ts';
import type { AgentMetrics } from '../../ops/agent-metrics.ts';
import type { Place } from '../../policy/place.ts';
import type { Swept, SweepRequest } from './network-sweep.ts';
import type { ServedTarget } from './owed-sweeps.ts';
import { OwedSweeps } from './owed-sweeps.ts';
import type { SocketLink, SweepHang } from './socket-link.ts';

export interface SweepQueueOptions {
  readonly link: Pick<SocketLink, 'sweep' | 'mayRisk'>;
  /** Where the program is pinned that sweeps. */
  readonly pinsOf: () => string | undefined;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'sockets' | 'hangs'>;
  /** Somebody waits to hear how the connections stand now. */
  readonly onSwept: () => void;
  /** The process that led to the network of these places has ended. */
  readonly onLost: (places: readonly Place[]) => void;
  /** Others may be for the kernel to look after than were. */
  readonly onBars: () => void;
  readonly onIdle: () => void;
}

const key = 'sweeps';
/** So long the process is kept that sweeps, since starting it takes more of a core than it does then. */
const lingerMs = 60_000;

/** Has the kernel give open connections their values, one network after the other, in a process that may hang. */
export class SweepQueue {
  readonly #options: SweepQueueOptions;
  readonly #owed: OwedSweeps;
  readonly #queue: WorkQueue;
  #served: readonly ServedTarget[] = [];
  /** Networks of which nobody asks any more as well. */
  #isSweeping = false;
  #lastMs = -Infinity;
  #liftMs: number | undefined;

  constructor(options: SweepQueueOptions) {
    this.#options = options;
    this.#owed = new OwedSweeps((owner) => options.link.mayRisk(owner));
    this.#queue = new WorkQueue({
      ...{ work: () => this.#work(), concurrency: 1, log: options.log },
      backOff: { minMs: 1000, maxMs: 60_000 },
    });
    this.#queue.start();
  }

  /** Whether the process that sweeps is of use still. */
  get isBusy(): boolean {
    const isNeeded = this.#isSweeping || this.#owed.nextDueMs() !== undefined;
    return isNeeded || performance.now() < this.#lastMs + lingerMs;
  }

  follow(served: readonly ServedTarget[]): void {
    this.#served = served;
    this.#owed.follow(served, performance.now());
    this.#queue.add(key);
  }

  loosened(places: readonly Place[]): void {
    for (const place of places) this.#owed.loosened(place, performance.now());
    if (places.length > 0) this.#queue.add(key);
  }

  /** Whether all that was open there was met by the kernel. */
  isSwept(place: Place): boolean {
    return this.#owed.isSwept(place);
  }

  /** How long it takes until a connection is given values again that its program loosened; undefined where none does. */
  repairMsOf(place: Place): number | undefined {
    return this.#owed.repairMsOf(place, performance.now());
  }

  /** Whether its open connections are to be looked at one by one. */
  isLeft({ target, network }: ServedTarget): boolean {
    if (this.#owed.bars.isBarred(network.cookie, performance.now())) return true;
    return !this.#owed.isSwept(target.place) && !this.#owed.mayRisk(target.place);
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #work(): Promise<Next> {
    const { pinsOf, onIdle, onBars } = this.#options;
    if (this.#liftMs !== undefined && performance.now() >= this.#liftMs) onBars();
    const pins = pinsOf();
    if (pins === undefined) return undefined;
    const networks = this.#owed.begin(performance.now());
    if (networks.length > 0) await this.#sweep({ networks, pins });
    else if (!this.isBusy) onIdle();
    return this.#next();
  }

  async #sweep(request: SweepRequest): Promise<void> {
    this.#isSweeping = true;
    try {
      const hang = await this.#options.link.sweep(request, (swept) => this.#take(swept));
      if (hang !== undefined) this.#bar(hang);
    } catch (error) {
      for (const { cookie } of request.networks) this.#owed.failed(cookie, performance.now());
      throw error;
    } finally {
      this.#isSweeping = false;
      this.#owed.giveBack();
      this.#lastMs = performance.now();
    }
  }

  #next(): Next {
    const nowMs = performance.now();
    const idleMs = this.#lastMs + lingerMs;
    this.#liftMs = this.#owed.bars.nextLiftMs(nowMs);
    const times = [this.#owed.nextDueMs(), this.#liftMs, idleMs > nowMs ? idleMs : undefined];
    const nextMs = Math.min(...times.filter((ms) => ms !== undefined));
    return Number.isFinite(nextMs) ? { afterMs: Math.max(1, nextMs - nowMs) } : undefined;
  }

  #take(swept: Swept): void {
    const { log, metrics, onSwept, onLost, onBars } = this.#options;
    const { cookie, as, repaired, cpuMs, error } = swept;
    const places = this.#served
      .filter(({ network }) => network.cookie === cookie)
      .map(({ target }) => target.place);
    if (repaired > 0) {
      metrics.sockets.inc(repaired);
      log.info({ place: places[0], sockets: repaired }, 'keepalive given to sockets');
    }
    if (as === 'swept') {
      this.#owed.swept(cookie, cpuMs, performance.now());
      return onSwept();
    }
    this.#owed.failed(cookie, performance.now());
    if (as === 'lost') return onLost(places);
    log.warn(
      { place: places[0], error },
      'the open connections of a network cannot be given keepalive at once',
    );
    onBars();
  }

  #bar({ network, released }: SweepHang): void {
    const { metrics, onBars } = this.#options;
    metrics.hangs.inc();
    this.#owed.bars.hung(network.cookie);
    onBars();
    void released.then(() => {
      this.#owed.bars.released(network.cookie, performance.now());
      onBars();
      this.#queue.add(key);
    });
  }
}
