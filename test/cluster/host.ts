import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Output, RunOptions } from './command.ts';
import { run, runOrThrow } from './command.ts';
import type { ProcessEntry, ProcessId } from './process.ts';
import { isAlive, isFirst, processes, signal } from './process.ts';
import { until } from './wait.ts';

export interface HostOptions {
  /** The state folder of its cluster. */
  readonly folder: string;
  readonly name: string;
  /** It dies with the process that starts it; otherwise it lives until it is stopped. */
  readonly owned: boolean;
  /** Lines of bash that run first inside it. */
  readonly setUp?: string;
  /** For the programs run in it, unless they are given another. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface StartOptions {
  readonly logFile: string;
  /** A program that prepares the ground and ends by exec of what follows it. */
  readonly prefix?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** The namespaces every host has of its own. A process namespace ends, with all in it, when its first process does. */
const NAMESPACES = '--net --mount --pid --uts --fork --kill-child --mount-proc --propagation private'.split(
  ' ',
);

/** What a host is known by in the process table: the last argument of its first process. */
function mark(folder: string, name: string): string {
  return `${folder}/hosts/${name}`;
}

/** The hosts of a cluster, read from the process table, which cannot be out of date as a file can. */
export function hostsOf(folder: string, env?: NodeJS.ProcessEnv): Host[] {
  const prefix = mark(folder, '');
  return processes()
    .filter(({ pid, argv }) => argv.at(-1)?.startsWith(prefix) === true && isFirst(pid))
    .map((first) => new Host(first.argv.at(-1)?.slice(prefix.length) ?? '', first, { env }));
}

/** A machine of the lab: a network, mounts, processes and a host name of its own. */
export class Host {
  readonly name: string;
  /** Its first process, as this machine numbers it. */
  readonly id: ProcessId;
  /** Held open by the owner: the host ends when it closes. */
  readonly #owner: ChildProcess['stdin'];

  readonly #env: NodeJS.ProcessEnv | undefined;

  constructor(
    name: string,
    id: ProcessId,
    { owner = null, env }: { owner?: ChildProcess['stdin']; env: NodeJS.ProcessEnv | undefined },
  ) {
    this.#env = env;
    this.name = name;
    this.id = { pid: id.pid, started: id.started };
    this.#owner = owner;
  }

  static async start({ folder, name, owned, setUp = '', env }: HostOptions): Promise<Host> {
    const logFile = join(folder, 'log', `${name}.log`);
    // Until the kernel has made sure for 1 to 2 s that nobody else has its own link-local address, it forwards
    // nothing to an unknown IPv6 neighbour: the first connections through a new cable would wait for that.
    const noDuplicates = 'sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0';
    const script = `set -e
      mount --make-rshared /; mount -t tmpfs -o mode=755 tmpfs /run; hostname ${name}; ${noDuplicates}; ip link set lo up
      ${setUp}
      echo ready >&3; exec 3>&-
      ${owned ? '' : '# nobody holds the other end, so it never closes\n exec 0<> <(:)'}
      while read -r _; do :; done`;
    const log = openLog(logFile);
    const child = spawn('unshare', [...NAMESPACES, 'bash', '-c', script, mark(folder, name)], {
      stdio: ['pipe', log, log, 'pipe'],
      // Out of the terminal's reach: Ctrl-C is for whoever takes the cluster down in order.
      detached: true,
    });
    closeSync(log);
    await ready(child, logFile);
    const first = hostsOf(folder).find((host) => host.name === name);
    if (first === undefined) throw new Error(`host ${name} ended at once: see ${logFile}`);
    release(child);
    return new Host(name, first.id, { owner: owned ? child.stdin : null, env });
  }

  get alive(): boolean {
    return isAlive(this.id) && this.#owner?.destroyed !== true;
  }

  /** Runs a program in this host to its end. */
  exec(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
    return run(this.#inside(argv, options.cwd), { env: this.#env, ...options, cwd: undefined });
  }

  execOrThrow(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const called = `in host ${this.name}, ${argv.slice(0, 3).join(' ')}`;
    return runOrThrow(this.#inside(argv, options.cwd), {
      called,
      env: this.#env,
      ...options,
      cwd: undefined,
    });
  }

  /** A program the caller talks to and ends; `kill` on it reaches the program as SIGTERM. */
  spawn(
    argv: readonly string[],
    options: { env?: NodeJS.ProcessEnv; stdio?: 'pipe' | 'inherit'; cwd?: string } = {},
  ) {
    const [program = '', ...args] = this.#inside(argv, options.cwd);
    return spawn(program, args, { stdio: options.stdio ?? 'pipe', env: options.env ?? this.#env });
  }

  /** Starts a program that goes on by itself, a child of the host's first process. */
  async start(
    argv: readonly string[],
    { logFile, prefix = [], env = this.#env }: StartOptions,
  ): Promise<void> {
    const log = openLog(logFile);
    const [program = '', ...args] = [...this.#nsenter(), 'setsid', '--fork', ...prefix, ...argv];
    const child = spawn(program, args, { stdio: ['ignore', log, log], env, detached: true });
    closeSync(log);
    child.unref();
    await until(`${argv[0]} starts in ${this.name}; its log is ${logFile}`, () => this.find(argv), {
      timeoutMs: 10_000,
    });
  }

  /** A program started by `start`: by its command line, since only what the first process took over counts. */
  find(argv: readonly string[]): ProcessEntry | undefined {
    const wanted = argv.join('\0');
    return processes().find((one) => one.parent === this.id.pid && one.argv.join('\0') === wanted);
  }

  /** Lines for `ip -batch`, with process numbers as this machine has them. */
  ip(...lines: readonly string[]): Promise<string> {
    const argv = ['nsenter', '-t', `${this.id.pid}`, '-n', '--', 'ip', '-batch', '-'];
    return runOrThrow(argv, { stdin: lines.join('\n'), called: `in host ${this.name}, ip` });
  }

  /** Text for `nft -f -`. */
  nft(text: string): Promise<string> {
    return this.execOrThrow(['nft', '-f', '-'], { stdin: text });
  }

  sysctl(values: Readonly<Record<string, string | number>>): Promise<string> {
    return this.execOrThrow([
      'sysctl',
      '-q',
      '-w',
      ...Object.entries(values).map(([key, value]) => `${key}=${value}`),
    ]);
  }

  /** Ends it and everything in it. */
  async stop(): Promise<void> {
    signal(this.id, 'SIGKILL');
    await until(`host ${this.name} ends`, () => !isAlive(this.id));
  }

  #nsenter(): string[] {
    return ['nsenter', '-t', `${this.id.pid}`, '-n', '-m', '-p', '-u', '--'];
  }

  #inside(argv: readonly string[], cwd = process.cwd()): string[] {
    // nsenter passes no signal on, so its death is the sign; and it enters at the root folder.
    return [...this.#nsenter(), 'setpriv', '--pdeathsig', 'TERM', 'env', '-C', cwd, ...argv];
  }
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, 'a');
}

function ready(child: ChildProcess, logFile: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => {
      reject(new Error(`a host could not be set up: ${readFileSync(logFile, 'utf8').trim()}`));
    };
    child.stdio[3]?.once('data', () => {
      child.off('exit', ended);
      resolve();
    });
    child.once('error', reject).once('exit', ended);
  });
}

/** Neither the host nor its pipes keep this process from ending by itself. */
function release(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdio[3]]) (stream as { unref?: () => void } | null)?.unref?.();
}
