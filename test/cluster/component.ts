import { join } from 'node:path';

import type { ComponentSpec } from './components.ts';
import type { Host } from './host.ts';
import { isAlive, signal } from './process.ts';
import { until } from './wait.ts';

/** One program of the cluster, to be stopped, held and started again by a test. */
export class Component {
  readonly logPath: string;
  readonly #spec: ComponentSpec;
  readonly #host: () => Host;
  readonly #env: NodeJS.ProcessEnv;
  readonly #serves: () => Promise<void>;

  constructor(
    spec: ComponentSpec,
    at: { folder: string; host: () => Host; env: NodeJS.ProcessEnv; serves: () => Promise<void> },
  ) {
    this.#spec = spec;
    this.#host = at.host;
    this.#env = at.env;
    this.#serves = at.serves;
    this.logPath = logPathOf(at.folder, spec.name);
  }

  /** The process number as this machine has it; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#host().find(this.#spec.argv)?.pid;
  }

  /** Resolves when the process is gone. A crash by default: on SIGTERM the API server drains for a minute. */
  async stop(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const found = this.#host().find(this.#spec.argv);
    if (found === undefined) return;
    signal(found, name);
    // A held process takes no signal but this one and SIGKILL.
    signal(found, 'SIGCONT');
    await until(`${this.#spec.name} ends`, () => !isAlive(found), { timeoutMs: 90_000 });
  }

  /** Starts it on the same data; the API server is waited for until it serves. */
  async start(): Promise<void> {
    const { argv, prefix, name } = this.#spec;
    if (this.pid !== undefined) throw new Error(`${name} runs already`);
    await this.#host().start(argv, { logFile: this.logPath, prefix: prefix ?? [], env: this.#env });
    await this.#serves();
  }

  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  #signal(name: NodeJS.Signals): void {
    const found = this.#host().find(this.#spec.argv);
    if (found === undefined) throw new Error(`${this.#spec.name} is not running: its log is ${this.logPath}`);
    signal(found, name);
  }
}

function logPathOf(folder: string, component: string): string {
  return join(folder, 'log', `${component}.log`);
}
