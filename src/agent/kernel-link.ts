import { Worker } from 'node:worker_threads';

import type { Reading } from '../policy/reading.ts';
import type { Visit } from './node-kernel.ts';

export interface KernelOptions {
  /** Where the host's proc is mounted. */
  readonly procRoot: string;
  /** On the host, and gone with its next start. */
  readonly ledgerFile: string;
}

export interface Question {
  readonly id: number;
  readonly ask: 'visit' | 'remembered' | 'restoreAll';
  readonly visits?: readonly Visit[];
  /** All places there are: what is known of any other is forgotten first. */
  readonly known?: ReadonlySet<string> | undefined;
}

export interface Answer {
  readonly id: number;
  readonly readings: readonly Reading[];
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (readings: readonly Reading[]) => void;
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
    return this.#ask({ ask: 'visit', visits, known });
  }

  /** Holds what earlier agents of this boot left set. */
  holdRemembered(): Promise<readonly Reading[]> {
    return this.#ask({ ask: 'remembered' });
  }

  restoreAll(): Promise<readonly Reading[]> {
    return this.#ask({ ask: 'restoreAll' });
  }

  /** How long the oldest question has been waiting for its answer; 0 when none is. */
  get secondsWaiting(): number {
    const [oldest] = this.#waiting.values();
    return oldest === undefined ? 0 : (performance.now() - oldest.since) / 1000;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(question: Omit<Question, 'id'>): Promise<readonly Reading[]> {
    const id = (this.#count += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, since: performance.now() });
      this.#worker.postMessage({ id, ...question } satisfies Question);
    });
  }

  #take({ id, readings, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(readings);
    else waiting?.reject(new Error(error));
  }

  #fail(error: Error): void {
    this.#broken.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
