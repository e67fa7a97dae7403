import type { Next } from '../kube/queue.ts';
import { WorkQueue } from '../kube/queue.ts';
import type { Log } from '../ops/log.ts';
import type { SocketReading } from '../policy/connection.ts';
import type { Place } from '../policy/place.ts';
import { scanPeriodSeconds } from '../policy/socket-target.ts';
import type { KernelLink } from './kernel-link.ts';
import type { Counted, Followed } from './node-connections.ts';
import type { Network } from './node-kernel.ts';

export interface ServedPlacesOptions {
  readonly kernel: Pick<KernelLink, 'reach' | 'followConnections' | 'countConnections'>;
  readonly log: Log;
  /** How often counts are told that nobody waits for. */
  readonly countMs: number;
  /** Told of which places new connections have their values from the kernel. */
  readonly onServed: (networks: ReadonlyMap<Place, Network>) => void;
  readonly onLoosened: (place: Place) => void;
  readonly onCounted: (readings: readonly SocketReading[]) => void;
}

type Shortfall = Pick<SocketReading, 'failures' | 'leftOut'>;

const follow = 'follow';
const count = 'count';
/** So many times as long as a count took, the next one waits: more than this part of a core is nobody's due. */
const rests = 100;

/** Places whose connections are the kernel's own care: it is told what is asked for, and asked how they stand. */
export class ServedPlaces {
  readonly #options: ServedPlacesOptions;
  readonly #queue: WorkQueue;
  #followed: Followed = { targets: [], hostPods: new Set(), pods: new Map() };
  #networks: ReadonlyMap<Place, Network> = new Map();
  #lost: Place[] = [];
  /** What sweeps did not come to. */
  readonly #shortfalls = new Map<Place, Shortfall>();
  #isAwaited = false;
  #toldMs = -Infinity;

  constructor(options: ServedPlacesOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      ...{
        work: (key) => (key === follow ? this.#follow() : this.#count()),
        concurrency: 1,
        log: options.log,
      },
      backOff: { minMs: 1000, maxMs: 60_000 },
    });
    this.#queue.start();
  }

  /** Whether the kernel gives anything to new connections here. */
  get serves(): boolean {
    return this.#options.kernel.reach?.means.by === 'BPF';
  }

  /** Whether it also counts them. */
  get counts(): boolean {
    return this.#options.kernel.reach?.means.countedBy === 'BPF';
  }

  follow(followed: Followed): void {
    this.#followed = followed;
    if (this.serves) this.#queue.add(follow);
  }

  /** A look found its network no more where it was. */
  lose(place: Place): void {
    this.#lost.push(place);
    this.#queue.add(follow);
  }

  /** Its open connections were swept, as far as that was possible: somebody waits to hear how they stand now. */
  swept(place: Place, { failures, leftOut }: Shortfall): void {
    this.#shortfalls.set(place, { failures, leftOut });
    this.#isAwaited = true;
    this.#queue.add(count);
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #follow(): Promise<Next> {
    const { kernel, onServed } = this.#options;
    const lost = [...this.#lost];
    const served = await kernel.followConnections(this.#followed, lost);
    this.#lost = this.#lost.slice(lost.length);
    this.#networks = new Map(served.map(({ place, network }) => [place, network]));
    for (const place of this.#shortfalls.keys())
      if (!this.#networks.has(place)) this.#shortfalls.delete(place);
    if (!this.counts) return undefined;
    onServed(this.#networks);
    if (served.length > 0) this.#queue.addAfter(count, this.#periodMs());
    return undefined;
  }

  async #count(): Promise<Next> {
    const { kernel, countMs, onLoosened, onCounted } = this.#options;
    if (this.#networks.size === 0) return undefined;
    const isAwaited = this.#isAwaited;
    this.#isAwaited = false;
    const startedMs = performance.now();
    const { readings, loosened } = await kernel.countConnections();
    const nowMs = performance.now();
    for (const place of loosened) onLoosened(place);
    if (isAwaited || nowMs - this.#toldMs >= countMs) {
      this.#toldMs = nowMs;
      onCounted(this.#whole(readings));
    }
    return { afterMs: Math.max(this.#periodMs(), (nowMs - startedMs) * rests) };
  }

  #whole(readings: Counted['readings']): SocketReading[] {
    return readings.map((reading) => ({ ...reading, ...this.#shortfalls.get(reading.place) }));
  }

  /** As often as new ones are looked for elsewhere: a program may undo what its connection was given when it was established. */
  #periodMs(): number {
    const served = this.#followed.targets.filter(({ place }) => this.#networks.has(place));
    return (scanPeriodSeconds(served) ?? Infinity) * 1000;
  }
}
