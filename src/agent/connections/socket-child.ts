import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { closeSync } from 'node:fs';

import type { Place } from '../../policy/place.ts';
import { ownMemoryOf, stateOf } from '../../kernel/process.ts';
import type { DiaryEntry } from './diary.ts';
import { Diary } from './diary.ts';
import type { Swept, SweepRequest } from './network-sweep.ts';
import type { Looked, LookRequest } from './socket-scan.ts';

export interface SocketQuestion {
  readonly id: number;
  /** Places that are looked at no more. */
  readonly forget: readonly Place[];
  readonly look?: LookRequest | undefined;
  readonly sweep?: SweepRequest | undefined;
}

export interface Told {
  readonly looked?: Looked;
  readonly swept?: Swept;
}

export type SocketAnswer =
  | { readonly ready: true }
  | ({ readonly id: number } & Told)
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly error: string };

/** It did not answer, while a system call of its did not return. */
export class Hang extends Error {
  readonly at: DiaryEntry;

  constructor(at: DiaryEntry) {
    super('a system call on a socket did not return');
    this.at = at;
  }
}

/** After 0, 1, 2 and the channel. */
export const diaryDescriptor = 4;
const isSource = import.meta.url.endsWith('.ts');
/** A bundle has its file beside it, under the name that the bundler gave it. */
const socketProcessFile = isSource ? '/socket-process.ts' : '/socket-process.mjs';
const file = new URL(`.${socketProcessFile}`, import.meta.url);
/** It lives on little, and a small heap is collected often enough. */
export const nodeOptions = ['--max-semi-space-size=1', '--v8-pool-size=0', '--single-threaded-gc'];
/** What it calls itself, in the 15 bytes that the kernel keeps. */
export const socketProcessName = 'keepalive-socks';
const lookEveryMs = 500;
const longestComplaint = 2000;

export interface SocketChildOptions {
  readonly procRoot: string;
  /** Without a step for so long, in a system call. */
  readonly patienceMs: number;
  /** Where it runs, or should and gets no processor; and until it is there at all. */
  readonly startPatienceMs: number;
}

/** The other end of socket-process.ts. */
export class SocketChild {
  readonly #options: SocketChildOptions;
  readonly #process: ChildProcess;
  readonly #diary: number;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #question: { readonly id: number; readonly done: PromiseWithResolvers<void> } | undefined;
  #onTold: (told: Told) => void = () => undefined;
  #count = 0;
  #isAbandoned = false;
  #firstBytes = 0;
  #complaint = '';

  constructor(options: SocketChildOptions) {
    this.#options = options;
    this.#diary = Diary.create();
    this.#process = fork(file, [options.procRoot], {
      execArgv: [...nodeOptions, ...(isSource ? ['--disable-warning=ExperimentalWarning'] : [])],
      // Maps and sets pass as they are.
      serialization: 'advanced',
      // Nothing of the agent's own: whoever reads its output would wait for a process that never ends.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', this.#diary],
      env: { ...process.env, NODE_OPTIONS: '', MALLOC_ARENA_MAX: '1' },
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-longestComplaint);
    });
    this.#process.on('message', (answer: SocketAnswer) => this.#hear(answer));
    this.#process.on('error', (error) => this.#end(error));
    this.#process.on('exit', (code, signal) => {
      const how = signal ?? `exit status ${code}`;
      this.#end(new Error(`the process that looks at sockets has ended: ${how} ${this.#complaint}`.trim()));
    });
    this.#ready.promise.catch(() => undefined);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Nothing of it is left, or it never was. */
  get hasEnded(): boolean {
    const { exitCode, signalCode, pid } = this.#process;
    return exitCode !== null || signalCode !== null || pid === undefined;
  }

  /** Resolves when nothing of it is left. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** By so much its own memory has grown since it was ready. */
  get grownBytes(): number {
    return Math.max(0, (ownMemoryOf('/proc', this.pid) ?? 0) - this.#firstBytes);
  }

  /** Rejects with a {@link Hang}, or because it ended; it is of no use afterwards. */
  async ask(question: Omit<SocketQuestion, 'id'>, onTold: (told: Told) => void): Promise<void> {
    const id = (this.#count += 1);
    const done = Promise.withResolvers<void>();
    this.#question = { id, done };
    this.#onTold = onTold;
    const refuse = (error: Error | null) => {
      if (error !== null) done.reject(error);
    };
    this.#ready.promise.then(() => {
      this.#process.send({ id, ...question } satisfies SocketQuestion, refuse);
    }, refuse);
    const watch = this.#watch(done.reject);
    try {
      await done.promise;
    } finally {
      clearInterval(watch);
      this.#question = undefined;
    }
  }

  /** Whether it ends is up to the system call that it waits for; nothing here waits for it. */
  abandon(): void {
    this.#process.kill('SIGKILL');
    if (this.#process.connected) this.#process.disconnect();
    this.#process.stderr?.destroy();
    this.#process.unref();
    if (!this.#isAbandoned) closeSync(this.#diary);
    this.#isAbandoned = true;
    this.#end(new Error('the process that looks at sockets was ended'));
  }

  #watch(reject: (error: Error) => void): NodeJS.Timeout {
    const { patienceMs, startPatienceMs } = this.#options;
    let last = Diary.read(this.#diary);
    let sinceMs = performance.now();
    return setInterval(() => {
      const now = Diary.read(this.#diary);
      const waitedMs = performance.now() - sinceMs;
      if (now.beat !== last.beat) [last, sinceMs] = [now, performance.now()];
      // One that runs, or waits for a processor, is slow and does not hang.
      else if (waitedMs > patienceMs && now.pid !== 0 && !this.#isRunning()) reject(new Hang(now));
      else if (waitedMs > startPatienceMs)
        reject(new Error('the process that looks at sockets does not answer'));
    }, lookEveryMs);
  }

  #isRunning(): boolean {
    return stateOf('/proc', this.pid) === 'R';
  }

  #begin(): void {
    this.#firstBytes = ownMemoryOf('/proc', this.pid) ?? 0;
    this.#ready.resolve();
  }

  #hear(answer: SocketAnswer): void {
    if ('ready' in answer) this.#begin();
    else if (answer.id !== this.#question?.id) return;
    else if ('error' in answer) this.#question.done.reject(new Error(answer.error));
    else if ('done' in answer) this.#question.done.resolve();
    else this.#onTold(answer);
  }

  #end(error: Error): void {
    this.#ready.reject(error);
    this.#question?.done.reject(error);
    if (this.hasEnded) this.#ended.resolve();
  }
}
