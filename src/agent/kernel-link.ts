import { Worker } from 'node:worker_threads';

import type { SocketReading } from '../policy/connection.ts';
import type { Reading } from '../policy/reading.ts';
import type { Discovery } from '../policy/tracker.ts';
import type { Visit } from './node-kernel.ts';
import type { ScanRequest } from './socket-scan.ts';

export interface KernelOptions {
  /** Where the host's proc is mounted. */
  readonly procRoot: string;
  /** On the host, and gone with its next start. */
  readonly ledgerFile: string;
}

export interface Question {
  readonly id: number;
  readonly ask: 'visit' | 'remembered' | 'restoreAll' | 'scan' | 'discover';
  readonly visits?: readonly Visit[];
  /** All places there are: what is known of any other is forgotten first. */
  readonly known?: ReadonlySet<string> | undefined;
  /** With `scan`: begin anew; without it, go on. */
  readonly scan?: ScanRequest;
}

export interface Answer {
  readonly id: number;
  readonly readings?: readonly Reading[];
  /** Of a scan that is done. */
  readonly sockets?: readonly SocketReading[] | undefined;
  readonly discovery?: Discovery;
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

/** A bundle has the thread's file beside it, under the name that the bundler gave it. */
const file = import.meta.url.endsWith('.ts') ? './kernel-thread.ts' : './kernel-thread.mjs';

/** The other end of kernel-thread.ts. */
export class KernelLink {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #broken = Promise.withResolvers<never>();
  #failure: Error | undefined;
  #count = 0;

  constructor(options: KernelOptions) {
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: options });
    // Whoever runs without the thread asks for nothing, and need not be told.
    this.#broken.promise.catch(() => undefined);
    this.#worker.on('message', (answer: Answer) => {
      this.#take(answer);
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

  visit(visits: readonly Visit[], known?: ReadonlySet<string>): Promise<readonly Reading[]> {
    return this.#read({ ask: 'visit', visits, known });
  }

  /** Step by step, so that visits come in between. */
  async scan(request: ScanRequest): Promise<readonly SocketReading[]> {
    let answer = await this.#ask({ ask: 'scan', scan: request });
    while (answer.sockets === undefined) answer = await this.#ask({ ask: 'scan' });
    return answer.sockets;
  }

  /** Holds what earlier agents of this boot left set. */
  holdRemembered(): Promise<readonly Reading[]> {
    return this.#read({ ask: 'remembered' });
  }

  async discover(): Promise<Discovery | undefined> {
    return (await this.#ask({ ask: 'discover' })).discovery;
  }

  restoreAll(): Promise<readonly Reading[]> {
    return this.#read({ ask: 'restoreAll' });
  }

  /** How long the oldest question has been waiting for its answer; 0 when none is. */
  get secondsWaiting(): number {
    const [oldest] = this.#waiting.values();
    return oldest === undefined ? 0 : (performance.now() - oldest.since) / 1000;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #read(question: Omit<Question, 'id'>): Promise<readonly Reading[]> {
    return (await this.#ask(question)).readings ?? [];
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

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#broken.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
