import type { LeftOut, SocketTarget } from '../../policy/connection.ts';
import { nothingSeen } from '../../policy/socket-target.ts';
import type { Place } from '../../policy/place.ts';
import { joinFirstProcess } from '../../kernel/control-group.ts';
import { isStillThere, startTicksOf, stateOf } from '../../kernel/process.ts';
import { sleep, systemClock } from '../../kube/clock.ts';
import { backOffMs } from '../../kube/backoff.ts';
import type { Log } from '../../ops/log.ts';
import { ownerOf } from './fair-share.ts';
import { LeftBehindBefore } from './left-behind.ts';
import type { Lost } from './lost-processes.ts';
import { mayLoseMore, sumOf } from './lost-processes.ts';
import type { Network } from '../node-kernel.ts';
import type { Swept, SweepRequest } from './network-sweep.ts';
import type { DiaryEntry } from './diary.ts';
import type { SocketQuestion, Told } from './socket-child.ts';
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
  /** Clock ticks since the machine started: its number may go to another. */
  readonly started: number;
}

/** A sweep hung on a socket of this network namespace; nobody knows on which. */
export interface SweepHang {
  readonly network: Network;
  /** Resolves when the system call has returned. */
  readonly released: Promise<void>;
}

const patienceMs = 5000;
const startPatienceMs = 60_000;
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
  /** And to whose socket each was lost. */
  readonly #abandoned = new Map<SocketChild, { readonly owner: string; readonly grownBytes: number }>();
  readonly #leftBehind: LeftBehindBefore;
  /** Settles when the process is free: it does one thing after the other. */
  #free: Promise<unknown> = Promise.resolve();
  #child: SocketChild | undefined;
  #hung: Hung[] = [];
  #hangs = 0;
  #lastHangMs = -Infinity;
  #forgotten: Place[] = [];

  constructor(options: SocketLinkOptions) {
    this.#options = options;
    this.#leftBehind = new LeftBehindBefore(options.procRoot);
  }

  /** Processes that hang in a system call and have been given up, by earlier agents too. */
  get abandoned(): number {
    return this.#abandoned.size + this.#leftBehind.count;
  }

  /** The process that looks at sockets now; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Tells how each place stands as soon as it was looked at, once for each; not of all, where that takes long. */
  look(request: Request, onLooked: (looked: Looked) => void): Promise<void> {
    return this.#inTurn(() => this.#look(request, onLooked));
  }

  /** Tells what came of each network as soon as it was swept; ends with the first in which it hangs, and tells of that. */
  sweep(request: SweepRequest, onSwept: (swept: Swept) => void): Promise<SweepHang | undefined> {
    return this.#inTurn(() => this.#sweep(request, onSwept));
  }

  /** Whether one more process may be lost to a socket of that owner. Whose those were that earlier agents lost, nobody knows. */
  mayRisk(owner: string): boolean {
    return mayLoseMore(this.#lost(), 'ofNode') && mayLoseMore(this.#lostTo(owner), 'ofOwner');
  }

  /** The memory of those of earlier agents is charged to their pods. */
  #lost(): Lost {
    return { ...sumOf(this.#abandoned.values()), count: this.abandoned };
  }

  #lostTo(owner: string): Lost {
    return sumOf(this.#abandoned.values().filter((one) => one.owner === owner));
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

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#free.then(action);
    this.#free = done.catch(() => undefined);
    return done;
  }

  async #look(request: Request, onLooked: (looked: Looked) => void): Promise<void> {
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

  /** False where it hung. */
  async #lookOnce(request: Request, tell: (looked: Looked) => void): Promise<boolean> {
    const avoid = this.#hung.map(({ pid, inode }) => ({ pid, inode }));
    const targets = request.targets.map((target) => ({ ...target, avoid }));
    const hang = await this.#ask({ look: { ...request, targets } }, ({ looked }) => {
      if (looked !== undefined) tell(looked);
    });
    if (hang === undefined) return true;
    tell(this.#leaveOut(hang, targets[hang.at.target]));
    return false;
  }

  async #sweep(request: SweepRequest, onSwept: (swept: Swept) => void): Promise<SweepHang | undefined> {
    const hang = await this.#ask({ sweep: request }, ({ swept }) => {
      if (swept !== undefined) onSwept(swept);
    });
    const network = hang && request.networks[hang.at.target];
    if (hang === undefined || network === undefined) return undefined;
    const { child } = hang;
    this.#options.log.warn(
      { cookie: String(network.cookie), pid: network.pid, child: child.pid },
      'a sweep of a network hangs on one of its sockets: they are looked at one by one until it comes back',
    );
    return { network, released: child.ended };
  }

  /** Where it hung, and which process did. */
  async #ask(
    question: Omit<SocketQuestion, 'id' | 'forget'>,
    onTold: (told: Told) => void,
  ): Promise<{ readonly at: DiaryEntry; readonly child: SocketChild } | undefined> {
    const child = (this.#child ??= await this.#start());
    const forget = this.#forgotten;
    this.#forgotten = [];
    try {
      await child.ask({ forget, ...question }, onTold);
      return undefined;
    } catch (error) {
      this.#child = undefined;
      this.#abandon(child);
      if (!(error instanceof Hang)) throw error;
      this.#giveUp(child, ownerAt(question, error.at.target));
      return { at: error.at, child };
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

  #giveUp(child: SocketChild, owner: string): void {
    this.#abandoned.set(child, { owner, grownBytes: child.grownBytes });
    void child.ended.then(() => this.#abandoned.delete(child));
    this.#hangs += 1;
    this.#lastHangMs = performance.now();
  }

  #leaveOut(
    { at, child }: { readonly at: DiaryEntry; readonly child: SocketChild },
    target: LookTarget | undefined,
  ): Looked {
    const { log, procRoot } = this.#options;
    if (target === undefined) throw new Error('the process that looks at sockets hangs, nobody knows where');
    const { pid, inode } = at;
    const { place } = target;
    const started = startTicksOf(procRoot, String(pid));
    if (started !== undefined) this.#hung.push({ place, pid, inode, started });
    log.warn(
      { place, pid, inode, child: child.pid },
      'a system call on a socket hangs: it is left alone from now on',
    );
    return { ...shut(target, 'Hangs', 1), as: 'hung' };
  }

  /** Places that are not looked at at all. */
  #shutOut(targets: readonly SocketTarget[]): Looked[] {
    const { procRoot } = this.#options;
    this.#hung = this.#hung.filter((one) => isStillThere(procRoot, one));
    return targets.flatMap((target) => {
      const hung = this.#hung.filter((one) => one.place === target.place).length;
      if (hung >= mostOfPlace) return [shut(target, 'PodHangs', hung)];
      const owner = ownerOf(target);
      if (this.mayRisk(owner)) return [];
      const lost = this.#lostTo(owner);
      return [
        mayLoseMore(lost, 'ofOwner')
          ? shut(target, 'NodeHangs', this.abandoned)
          : shut(target, 'OwnerHangs', lost.count),
      ];
    });
  }
}

function ownerAt({ look, sweep }: Pick<SocketQuestion, 'look' | 'sweep'>, at: number): string {
  return sweep?.networks[at]?.owner ?? ownerOf(look?.targets[at] ?? {});
}

function shut(target: SocketTarget, why: LeftOut, count: number): Looked {
  return { reading: nothingSeen(target, { [why]: count }), as: 'counted', cpuMs: 0 };
}
