import { isDeepStrictEqual } from 'node:util';

import type { Next } from '../../kube/queue.ts';
import { WorkQueue } from '../../kube/queue.ts';
import type { SocketReading, SocketTarget } from '../../policy/connection.ts';
import type { Place } from '../../policy/place.ts';
import { nothingSeen, withUnmet } from '../../policy/socket-target.ts';
import type { KernelLink } from '../kernel-link.ts';
import { CountPace } from './count-pace.ts';
import type { SweepQueueOptions } from './sweep-queue.ts';
import { SweepQueue } from './sweep-queue.ts';
import { ProgramNames } from './program-names.ts';
import type { Counted, Followed, Following, Served } from './node-connections.ts';
import type { ServedTarget } from './owed-sweeps.ts';

export interface ServedPlacesOptions extends Pick<SweepQueueOptions, 'link' | 'log' | 'metrics' | 'onIdle'> {
  readonly kernel: Pick<KernelLink, 'reach' | 'followConnections' | 'countConnections' | 'endCounts'>;
  /** How often counts are told that nobody waits for. */
  readonly countMs: number;
  /** Told whose connections are to be looked at by others, whenever that may be otherwise. */
  readonly onLeft: (targets: readonly SocketTarget[]) => void;
  readonly onCounted: (readings: readonly SocketReading[]) => void;
}

interface Hearing {
  /** Places of which all that was open before had been met when the count began. */
  readonly met: ReadonlySet<Place>;
  readonly isTold: boolean;
}

const follow = 'follow';
const count = 'count';
/** What could not be counted in so many tries is left to others, and is not known any more where there are none. */
export const triesUntilUnknown = 3;

/**
 * Places whose connections are the kernel's own care: it is told what is asked for, has what was open before swept, and is asked
 * how they stand. Whatever comes between, their place is left to descriptors. Where a person is to be told more than the
 * kernel knows, the names of programs, descriptors are looked at besides, and the kernel goes on counting.
 */
export class ServedPlaces {
  readonly #options: ServedPlacesOptions;
  readonly #queue: WorkQueue;
  readonly #sweeper: SweepQueue;
  #followed: Followed = {
    ...{ targets: [], hostPods: new Set(), running: new Set(), pods: new Map() },
    held: new Set(),
  };
  /** What the kernel was told last, and which places of it it serves. */
  #told: readonly SocketTarget[] = [];
  #served: readonly ServedTarget[] = [];
  /** Of these, those of which the kernel's word is told. */
  #kept: ReadonlyMap<Place, SocketTarget> = new Map();
  /** Whose connections others are to look at is said here: all of them, where nothing is counted, they know without. */
  #isDividing = false;
  #lost: Place[] = [];
  readonly #names: ProgramNames;
  #refused: Following['refused'] = {};
  #isAwaited = false;
  #toldMs = -Infinity;
  readonly #pace = new CountPace();
  #failures = 0;

  constructor(options: ServedPlacesOptions) {
    this.#options = options;
    const { log, kernel, countMs } = options;
    this.#names = new ProgramNames(countMs);
    this.#queue = new WorkQueue({
      ...{ work: (key) => (key === follow ? this.#follow() : this.#count()), concurrency: 2, log },
      backOff: { minMs: 1000, maxMs: 60_000 },
    });
    this.#sweeper = new SweepQueue({
      ...options,
      pinsOf: () => kernel.reach?.pins,
      onSwept: () => this.#await(),
      onLost: (places) => {
        this.#lost.push(...places);
        this.#queue.add(follow);
      },
      onBars: () => this.#part(),
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

  /** Whether the process that looks at sockets is needed for sweeps. */
  get isBusy(): boolean {
    return this.#sweeper.isBusy;
  }

  follow(followed: Followed): void {
    this.#followed = followed;
    this.#isDividing ||= this.counts;
    // Where it does not yet, what an agent before was told is withdrawn where nobody asks for it.
    if (this.serves || this.#options.kernel.reach?.mayBeLoaded === true) this.#queue.add(follow);
  }

  /** What others saw of a place: how it stands, with the programs that they found; undefined where their word is all there is. */
  heard(seen: SocketReading): SocketReading | undefined {
    if (!this.#kept.has(seen.place) || this.#isBlind) return undefined;
    const reading = this.#names.seen(seen, performance.now());
    this.#part();
    return reading;
  }

  async stop(): Promise<void> {
    const stopped = this.#queue.stop();
    // Where the thread has ended, nobody counts.
    this.#options.kernel.endCounts().catch(() => undefined);
    await stopped;
    await this.#sweeper.stop();
  }

  async #follow(): Promise<Next> {
    const { kernel } = this.#options;
    const followed = this.#followed;
    const lost = [...this.#lost];
    try {
      const { served, againMs, refused, isAnew } = await kernel.followConnections(followed, lost);
      this.#lost = this.#lost.slice(lost.length);
      this.#sayRefused(refused);
      // As if it had come to be served just now: what is open is to be met once more.
      if (isAnew === true) this.#sweeper.follow([]);
      this.#take(followed, served);
      return againMs === undefined ? undefined : { afterMs: againMs + 1 };
    } catch (error) {
      this.#take(followed, []);
      throw error;
    }
  }

  #take({ targets }: Followed, served: readonly Served[]): void {
    const byPlace = new Map(targets.map((target) => [target.place, target]));
    this.#told = targets;
    // Where they are not counted they are swept all the same: what was open before may be where no descriptor leads.
    const swept = this.#options.kernel.reach?.pins === undefined ? [] : served;
    this.#served = swept.flatMap(({ place, network }) => {
      const target = byPlace.get(place);
      return target === undefined ? [] : [{ target, network }];
    });
    this.#sweeper.follow(this.#served);
    this.#part();
  }

  /** Between the kernel and others. */
  #part(): void {
    // Others look after all of them already, and after some of whom nothing is known here yet.
    if (!this.#isDividing) return;
    this.#isDividing = this.counts;
    const before = this.#kept;
    // What it was counted by may be gone: then others look after those as well.
    const kept = this.counts ? this.#served.filter((one) => !this.#sweeper.isLeft(one)) : [];
    this.#kept = new Map(kept.map(({ target }) => [target.place, target]));
    this.#names.keepOnly(this.#kept);
    this.#pace.follow([...this.#kept.values()]);
    const isLeft = (place: Place) => this.#isBlind || !this.#kept.has(place) || this.#names.isSought(place);
    this.#options.onLeft(this.#told.filter(({ place }) => isLeft(place)));
    if (kept.some(({ target }) => !isDeepStrictEqual(before.get(target.place)?.timeouts, target.timeouts)))
      this.#await();
    else if (kept.length > 0) this.#queue.addAfter(count, this.#pace.intervalMs);
  }

  /** Somebody waits to hear how they stand. */
  #await(): void {
    this.#isAwaited = true;
    this.#queue.addAfter(count, this.#waitMs());
  }

  async #count(): Promise<Next> {
    const { kernel, countMs } = this.#options;
    // What is met while it is counted may have been met too late for it.
    const met = new Set(this.#kept.keys().filter((place) => this.#sweeper.isSwept(place)));
    // Who ends a sweep asks for a count.
    if (met.size === 0) return undefined;
    const waitMs = this.#waitMs();
    if (waitMs > 0) return { afterMs: waitMs };
    const isAwaited = this.#isAwaited;
    this.#isAwaited = false;
    const startedMs = performance.now();
    try {
      const counted = await kernel.countConnections();
      const wasBlind = this.#isBlind;
      this.#failures = 0;
      this.#pace.counted(counted.cpuMs, performance.now());
      this.#hear(counted, { met, isTold: isAwaited || wasBlind || startedMs - this.#toldMs >= countMs });
      if (wasBlind) this.#part();
    } catch (error) {
      this.#pace.counted(undefined, performance.now());
      this.#fail();
      throw error;
    }
    return { afterMs: this.#pace.intervalMs };
  }

  #hear({ readings, loosened }: Counted, { met, isTold }: Hearing): void {
    // What a count does not tell is met by sweeps alone.
    const untold = readings.filter(({ leftOut }) => leftOut.NoRoom !== undefined);
    this.#sweeper.loosened([...loosened, ...untold.map(({ place }) => place)]);
    // What was open before it was served is not told before it was met.
    const isKnown = (place: Place) => met.has(place) && this.#kept.has(place) && this.#sweeper.isSwept(place);
    const known = readings.filter(({ place }) => isKnown(place)).map((one) => this.#withUnmet(one));
    const { told, isChanged } = this.#named(known, new Set(loosened));
    if (isTold) {
      this.#toldMs = performance.now();
      this.#options.onCounted(told);
    }
    if (isChanged) this.#part();
  }

  /** What a program loosened is found by a count, and given its values by a sweep after that. */
  #withUnmet(reading: SocketReading): SocketReading {
    const target = this.#kept.get(reading.place);
    const sweepMs = this.#sweeper.repairMsOf(reading.place);
    if (target === undefined || sweepMs === undefined) return reading;
    return withUnmet(reading, target, this.#pace.intervalMs + sweepMs);
  }

  /** `isChanged`: others are to look for names where they were not, or no more. */
  #named(
    known: readonly SocketReading[],
    loosened: ReadonlySet<Place>,
  ): { readonly told: readonly SocketReading[]; readonly isChanged: boolean } {
    if (this.#options.kernel.reach?.byDescriptors !== true) return { told: known, isChanged: false };
    const nowMs = performance.now();
    const sought = () => known.map(({ place }) => this.#names.isSought(place));
    const before = sought();
    const told = known.map((reading) =>
      this.#names.counted(reading, { nowMs, isSettled: !loosened.has(reading.place) }),
    );
    return { told, isChanged: !isDeepStrictEqual(before, sought()) };
  }

  /** Others look after all places until they can be counted again. */
  get #isBlind(): boolean {
    return this.#failures >= triesUntilUnknown && this.#options.kernel.reach?.byDescriptors === true;
  }

  #fail(): void {
    this.#failures += 1;
    // What counts may have been taken away: it is loaded anew by whoever asks for something.
    if (this.#failures === 1) this.#queue.add(follow);
    if (this.#failures !== triesUntilUnknown) return;
    if (this.#isBlind) return this.#part();
    this.#options.onCounted([...this.#kept.values()].map((target) => nothingSeen(target, { CountFails: 1 })));
  }

  #sayRefused(refused: Following['refused']): void {
    if (Object.keys(refused).length > 0 && !isDeepStrictEqual(refused, this.#refused))
      this.#options.log.warn({ refused }, 'the kernel refuses to serve some places: others look after them');
    this.#refused = refused;
  }

  #waitMs(): number {
    return this.#pace.waitMs(performance.now(), { isAwaited: this.#isAwaited });
  }
}
