import type { LeftOut, SocketReading, SocketTarget } from '../policy/connection.ts';
import type { Place } from '../policy/place.ts';
import { joinFirstProcess } from '../kernel/control-group.ts';
import { isStillThere, startTicksOf, stateOf } from '../kernel/process.ts';
import { sleep, systemClock } from '../kube/clock.ts';
import { backOffMs } from '../kube/backoff.ts';
import type { Log } from '../ops/log.ts';
import { LeftBehindBefore } from './left-behind.ts';
import { Hang, SocketChild } from './socket-child.ts';
import type { Avoided, LookTarget } from './socket-look.ts';
import type { Looked, LookRequest } from './socket-scan.ts';

export interface SocketLinkOptions {
  readonly procRoot: string;
  readonly log: Log;
  /** A system call that has not returned by then is taken to hang. */
  readonly patienceMs?: number;
}

export interface Request extends Omit<LookRequest, 'targets'> {
  readonly targets: readonly Omit<LookTarget, 'avoid'>[];
}

interface Hung extends Avoided {
  readonly place: Place;
  /** Nobody knows which socket of the network it was: from then on they are looked at one by one. */
  readonly inSweep: boolean;
  /** Clock ticks since the machine started: its number may go to another. */
  readonly started: number;
}

const patienceMs = 5000;
const startPatienceMs = 60_000;
/** What hangs keeps some 10 MiB of the agent's memory until it is let go. */
const mostAbandoned = 4;
/** So many sockets of one pod may hang before all of it is left alone: each costs its neighbours some seconds. */
const mostOfPlace = 2;
/** Before the next process is started, longer after each that hung, and short again when none did for a while. */
const rest = { minMs: 1000, maxMs: 60_000, calmMs: 600_000 };

/**
 * Asks a process of its own about sockets, which may hang in a system call on one: then that process is given up and
 * left behind, the socket is not touched again while the program lives that does not let go of it, and another process
 * goes on with the rest. There is none while nobody asks.
 */
export class SocketLink {
  readonly #options: SocketLinkOptions;
  readonly #closing = new AbortController();
  readonly #abandoned = new Set<SocketChild>();
  readonly #before: LeftBehindBefore;
  #child: SocketChild | undefined;
  #hung: Hung[] = [];
  #hangs = 0;
  #lastHangMs = -Infinity;
  #forgotten: Place[] = [];

  constructor(options: SocketLinkOptions) {
    this.#options = options;
    this.#before = new LeftBehindBefore(options.procRoot);
  }

  /** Processes that hang in a system call and have been given up, by earlier agents too. */
  get abandoned(): number {
    return this.#abandoned.size + this.#before.count;
  }

  /** The process that looks at sockets now; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Tells how each place stands as soon as it was looked at, once for each; not of all, where that takes long. */
  async look(request: Request, onLooked: (looked: Looked) => void): Promise<void> {
    let targets = request.targets;
    const tell = (looked: Looked) => {
      targets = targets.filter(({ place }) => place !== looked.reading.place);
      onLooked(looked);
    };
    while (targets.length > 0) {
      for (const shut of this.#shutOut(targets)) tell(shut);
      // What a look did not come to has its turn later.
      if (targets.length === 0 || (await this.#lookOnce({ ...request, targets }, tell))) return;
    }
  }

  /** What is remembered of its sockets is of no use any more. */
  forget(places: readonly Place[]): void {
    this.#forgotten.push(...places);
  }

  /** Nobody asks any more: the process ends, until somebody does. */
  rest(): void {
    if (this.#child !== undefined) this.#abandon(this.#child);
    this.#child = undefined;
  }

  close(): void {
    this.#closing.abort();
    this.rest();
  }

  /** False where it hung. */
  async #lookOnce(request: Request, tell: (looked: Looked) => void): Promise<boolean> {
    const child = (this.#child ??= await this.#start());
    const avoid = this.#hung.map(({ pid, inode }) => ({ pid, inode }));
    const targets = request.targets.map((target) => ({
      ...{ ...target, avoid },
      network: this.#mayBeSwept(target.place) ? target.network : undefined,
    }));
    const forget = this.#forgotten;
    this.#forgotten = [];
    try {
      await child.look({ forget, request: { ...request, targets } }, tell);
      return true;
    } catch (error) {
      this.#child = undefined;
      this.#abandon(child);
      if (!(error instanceof Hang)) throw error;
      tell(this.#giveUp(child, error, targets[error.at.target]));
      return false;
    }
  }

  async #start(): Promise<SocketChild> {
    const { signal } = this.#closing;
    if (performance.now() - this.#lastHangMs > rest.calmMs) this.#hangs = 0;
    if (this.#hangs > 0) await sleep(systemClock, backOffMs(this.#hangs - 1, rest, Math.random), signal);
    signal.throwIfAborted();
    return new SocketChild({
      ...{ procRoot: this.#options.procRoot, startPatienceMs },
      patienceMs: this.#options.patienceMs ?? patienceMs,
    });
  }

  /** Where it hangs, its control group could not be removed, so that the agent's container and pod would not end before it does. */
  #abandon(child: SocketChild): void {
    const { log, procRoot } = this.#options;
    child.abandon();
    // Once it was waited for, its number may be another's.
    const state = child.hasEnded ? undefined : stateOf('/proc', child.pid);
    if (state !== 'D' && state !== 'R') return;
    try {
      joinFirstProcess(procRoot, child.pid);
    } catch (error) {
      log.warn(
        { child: child.pid, error: (error as Error).message },
        'cannot take a process that hangs out of the container: as long as it does, the pod of this agent cannot end',
      );
    }
  }

  #mayBeSwept(place: Place): boolean {
    return !this.#hung.some((one) => one.inSweep && one.place === place);
  }

  #giveUp(child: SocketChild, { at }: Hang, target: LookTarget | undefined): Looked {
    const { log, procRoot } = this.#options;
    this.#abandoned.add(child);
    void child.ended.then(() => this.#abandoned.delete(child));
    this.#hangs += 1;
    this.#lastHangMs = performance.now();
    if (target === undefined) throw new Error('the process that looks at sockets hangs, nobody knows where');
    const { pid, inode } = at;
    const { place, network } = target;
    const inSweep = network !== undefined;
    const started = startTicksOf(procRoot, String(pid));
    if (started !== undefined) this.#hung.push({ place, pid, inode, started, inSweep });
    const then = inSweep ? 'the sockets of its pod are looked at one by one' : 'it is left alone';
    log.warn({ place, pid, inode, child: child.pid }, `a system call on a socket hangs: ${then} from now on`);
    return { ...shut(target, 'Hangs', 1), as: 'hung' };
  }

  /** Places that are not looked at at all. */
  #shutOut(targets: readonly SocketTarget[]): Looked[] {
    const { procRoot } = this.#options;
    this.#hung = this.#hung.filter((one) => isStillThere(procRoot, one));
    return targets.flatMap((target) => {
      const hung = this.#hung.filter((one) => one.place === target.place && !one.inSweep).length;
      if (hung >= mostOfPlace) return [shut(target, 'PodHangs', hung)];
      return this.abandoned >= mostAbandoned ? [shut(target, 'NodeHangs', this.abandoned)] : [];
    });
  }
}

/** Nothing was seen of it. */
function shut({ place, timeouts }: SocketTarget, why: LeftOut, count: number): Looked {
  const none = { established: 0, protected: 0, exposed: 0, unknown: 0, worst: [] };
  const byTimeout = Object.fromEntries(timeouts.map((seconds) => [seconds, none]));
  const reading: SocketReading = { place, byTimeout, repaired: 0, failures: {}, leftOut: { [why]: count } };
  return { reading, as: 'counted', cpuMs: 0 };
}
