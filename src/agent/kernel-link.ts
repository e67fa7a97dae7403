import { Worker } from 'node:worker_threads';

import type { ConnectionMeans } from '../policy/connection-means.ts';
import type { Place, PodPlace } from '../policy/place.ts';
import type { PodIdentity } from '../policy/pod-identity.ts';
import type { Reading } from '../policy/reading.ts';
import type { Discovery } from '../policy/tracker.ts';
import type { Counted, Followed, Following } from './connections/node-connections.ts';
import type { Restored, Visit } from './node-kernel.ts';
import { StepClock } from './step-clock.ts';

export interface KernelOptions {
  /** Where the host's proc is mounted. */
  readonly procRoot: string;
  /** On the host, and gone with its next start. */
  readonly ledgerFile: string;
  /** The compiled program for the kernel; undefined where connections are to be left to descriptors. */
  readonly objectFile?: string | undefined;
}

/** What the thread is told of at its start. */
export interface ThreadData extends KernelOptions {
  /** Of the {@link StepClock} that it keeps going. */
  readonly steps: SharedArrayBuffer;
}

export interface Question {
  readonly id: number;
  readonly ask:
    | ('visit' | 'remembered' | 'restoreAll' | 'discover')
    | ('followConnections' | 'countConnections' | 'endCounts' | 'removeConnections');
  readonly visits?: readonly Visit[];
  readonly followed?: Followed;
  /** Of these, the process that led to their network has ended. */
  readonly lost?: readonly Place[];
  /** All pods there are: what is known of any other is forgotten first. */
  readonly pods?: ReadonlyMap<PodPlace, PodIdentity> | undefined;
}

export interface Answer {
  readonly id: number;
  readonly readings?: readonly Reading[];
  readonly restored?: Restored;
  readonly discovery?: Discovery;
  readonly following?: Following;
  readonly counted?: Counted;
  /** What it took to go through all processes of the node and to open what was found; undefined where nobody had to be looked for. */
  readonly walkMs?: number | undefined;
  readonly error?: string;
}

/** Said without being asked. */
export type Word = TurnWord | { readonly reach: Reach };

interface TurnWord {
  /** Another agent of this node, which has not ended yet; undefined once it is this one's turn. */
  readonly waitingFor: string | undefined;
  /** Of the ledger, which were not believed. */
  readonly ignoredLines?: number;
}

/** How connections are reached on this node. */
export interface Reach {
  readonly means: ConnectionMeans;
  /** Where programs are pinned that open connections are swept by; undefined where there are none. */
  readonly pins: string | undefined;
  /** Whether sockets can be found by the descriptors of programs. */
  readonly byDescriptors: boolean;
  /** The program for the kernel could not be loaded for a reason that may pass, or not anew, and is tried again. */
  readonly mayBeLoaded?: boolean;
}

export interface Visited {
  readonly readings: readonly Reading[];
  readonly walkMs: number | undefined;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

/** A bundle has the thread's file beside it, under the name that the bundler gave it. */
const file = import.meta.url.endsWith('.ts') ? './kernel-thread.ts' : './kernel-thread.mjs';
const ownThread = new URL(file, import.meta.url);

/** The other end of kernel-thread.ts. */
export class KernelLink {
  readonly #worker: Worker;
  readonly #steps = new StepClock();
  readonly #waiting = new Map<number, Waiting>();
  readonly #broken = Promise.withResolvers<never>();
  readonly #turn = Promise.withResolvers<{ readonly ignoredLines: number }>();
  readonly #reached = Promise.withResolvers<Reach>();
  /** Told of {@link reach}, and whenever it is another. */
  onReach: (reach: Reach) => void = () => undefined;
  #reach: Reach | undefined;
  #waitingFor: string | undefined;
  #isOurTurn = false;
  #failure: Error | undefined;
  #count = 0;

  constructor(options: KernelOptions, thread: URL = ownThread) {
    const workerData: ThreadData = { ...options, steps: this.#steps.memory };
    this.#worker = new Worker(thread, { workerData });
    // Whoever runs without the thread asks for nothing, and need not be told.
    this.#broken.promise.catch(() => undefined);
    this.#turn.promise.catch(() => undefined);
    this.#reached.promise.catch(() => undefined);
    this.#worker.on('message', (message: Answer | Word) => {
      if ('id' in message) this.#take(message);
      else if ('reach' in message) this.#takeReach(message.reach);
      else this.#hear(message);
    });
    this.#worker.on('error', (error) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on('exit', () => {
      this.#fail(new Error('the kernel thread has ended'));
    });
  }

  /** Rejects when the thread ends. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** Resolves when no other agent of this node is at it any more: questions wait until then. */
  get turn(): Promise<{ readonly ignoredLines: number }> {
    return this.#turn.promise;
  }

  get isOurTurn(): boolean {
    return this.#isOurTurn;
  }

  /** Who else acts on this node, for a person; undefined when nobody does. */
  get waitingFor(): string | undefined {
    return this.#waitingFor;
  }

  visit(visits: readonly Visit[], pods: ReadonlyMap<PodPlace, PodIdentity>): Promise<Visited> {
    return this.#visited({ ask: 'visit', visits, pods });
  }

  /** Holds what earlier agents of this boot left set. */
  holdRemembered(): Promise<Visited> {
    return this.#visited({ ask: 'remembered' });
  }

  async discover(): Promise<Discovery | undefined> {
    return (await this.#ask({ ask: 'discover' })).discovery;
  }

  /** Undefined until the program for the kernel is loaded, or known not to be. */
  get reach(): Reach | undefined {
    return this.#reach;
  }

  /** Resolves once {@link reach} is known, which takes a process and comes after the turn. */
  get reached(): Promise<Reach> {
    return this.#reached.promise;
  }

  /** From now on new connections of these places have what is asked there: of which places that is so. */
  async followConnections(followed: Followed, lost: readonly Place[]): Promise<Following> {
    const { following } = await this.#ask({ ask: 'followConnections', followed, lost });
    return following ?? { served: [], againMs: undefined, refused: {} };
  }

  async countConnections(): Promise<Counted> {
    return (await this.#ask({ ask: 'countConnections' })).counted ?? { readings: [], loosened: [], cpuMs: 0 };
  }

  /** Whoever waits for a count is told that there is none: it may take longer than an agent that is told to end has left. */
  async endCounts(): Promise<void> {
    await this.#ask({ ask: 'endCounts' });
  }

  /** Takes away what looks after connections in the kernel, once it is loaded: that may be later than a pod has to end. */
  async removeConnections(): Promise<void> {
    await this.#ask({ ask: 'removeConnections' });
  }

  async restoreAll(): Promise<Restored> {
    return (await this.#ask({ ask: 'restoreAll' })).restored ?? { back: [], left: [] };
  }

  /** For how long the thread has done nothing while somebody waits for an answer; 0 when nobody does. A long answer has many steps. */
  get secondsWaiting(): number {
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return 0;
    return Math.min((performance.now() - oldest.since) / 1000, this.#steps.secondsAgo);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #visited(question: Omit<Question, 'id'>): Promise<Visited> {
    const { readings = [], walkMs } = await this.#ask(question);
    return { readings, walkMs };
  }

  #ask(question: Omit<Question, 'id'>): Promise<Answer> {
    // Nobody is left to answer.
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = (this.#count += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, since: performance.now() });
      this.#worker.postMessage({ id, ...question } satisfies Question);
    });
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(answer.error));
  }

  #takeReach(reach: Reach): void {
    this.#reach = reach;
    this.#reached.resolve(reach);
    this.onReach(reach);
  }

  #hear({ waitingFor, ignoredLines = 0 }: TurnWord): void {
    this.#waitingFor = waitingFor;
    this.#isOurTurn = waitingFor === undefined;
    if (this.#isOurTurn) this.#turn.resolve({ ignoredLines });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#broken.reject(error);
    this.#turn.reject(error);
    this.#reached.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
