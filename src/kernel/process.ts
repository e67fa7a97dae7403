import { closeSync, constants, opendirSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Below the proc file system of a machine: the host's own, in its network and its process number space. */
export const firstProcess = 1;

/** So many names are asked of the kernel at a time: a process may have a million descriptors. */
const namesAtATime = 64;

/** The numbers that name what is in a folder of proc, processes or descriptors, a few at a time and in no order. */
export function* numbersIn(folder: string): Generator<number, void> {
  const open = opendirSync(folder, { bufferSize: namesAtATime });
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
      const number = Number(entry.name);
      if (number >= 0) yield number;
    }
  } finally {
    open.closeSync();
  }
}

/**
 * One process, and never another that was given its number since: everything is read through its open folder in
 * proc, which stays with the process. Once that has ended, reading fails.
 */
export class ProcessHandle {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Throws ENOENT where there is no such process. */
  static open(procRoot: string, pid: number): ProcessHandle {
    return new ProcessHandle(openSync(join(procRoot, String(pid)), constants.O_DIRECTORY));
  }

  /** The text of proc's `cgroup`: a line for each hierarchy. */
  cgroups(): string {
    return cgroupsIn(this.#folder);
  }

  /** What it calls itself, at most 15 bytes; it may write what it likes there, but nothing that moves a cursor is told. */
  program(): string {
    return readFileSync(join(this.#folder, 'comm'), 'utf8')
      .replace(/[\s\p{C}]+/gu, ' ')
      .trim();
  }

  /** The file name of what it runs, of which the kernel knows and not it; undefined where that is not to be seen. */
  executable(): string | undefined {
    try {
      const path = throughLiving(this.#folder, (folder) => readlinkSync(join(folder, 'exe')));
      return basename(path).replace(/ \(deleted\)$/, '');
    } catch {
      return undefined;
    }
  }

  /** What started it, or has taken it over; 0 outside of what its reader sees. */
  parent(): number {
    return Number(fieldsAfterName(readFileSync(join(this.#folder, 'stat'), 'latin1'))[1]);
  }

  /** The names of the devices of its network. */
  networkDevices(): string[] {
    // Two lines of headings come first.
    const text = throughLiving(this.#folder, (folder) => readFileSync(join(folder, 'net/dev'), 'latin1'));
    const lines = text.split('\n').slice(2);
    return lines.flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? []);
  }

  /** A descriptor of its network namespace, for the caller to close. */
  openNetworkNamespace(): number {
    return throughLiving(this.#folder, (folder) => openSync(join(folder, 'ns/net'), 'r'));
  }

  /** See {@link livingThread}. */
  livingThread(): number | undefined {
    return livingThread(this.#folder);
  }

  close(): void {
    closeSync(this.#fd);
  }

  get #folder(): string {
    return `/proc/self/fd/${this.#fd}`;
  }
}

/**
 * A thread that goes on where the first one has ended (pthread_exit in main). Of that one the kernel tells neither a network nor
 * descriptors any more, and of a process what it tells of its first thread. Undefined where the first one lives, and where all have ended.
 */
function livingThread(folder: string): number | undefined {
  if (stateIn(folder) !== 'Z') return undefined;
  const lives = (thread: number) => !/^[ZXx]?$/.test(stateIn(join(folder, 'task', String(thread))) ?? '');
  return ifReadable(() => numbersIn(join(folder, 'task')).find(lives));
}

/** Reads of a process what the kernel tells of a thread that has not ended. */
export function throughLiving<T>(folder: string, read: (folder: string) => T): T {
  try {
    return read(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const thread = code === 'ENOENT' ? livingThread(folder) : undefined;
    if (thread === undefined) throw error;
    return read(join(folder, 'task', String(thread)));
  }
}

/** In each hierarchy of version 1 a thread that has ended stands at the top, as some do that live. */
const isAtTop = /^[1-9]\d*:[^:\n]*:\/$/m;
const isBelowTop = /^[1-9]\d*:[^:\n]*:\/./m;

function cgroupsIn(folder: string): string {
  const text = readFileSync(join(folder, 'cgroup'), 'latin1');
  const mayHaveEnded = isAtTop.test(text) && !isBelowTop.test(text);
  const thread = mayHaveEnded ? livingThread(folder) : undefined;
  return thread === undefined ? text : readFileSync(join(folder, 'task', String(thread), 'cgroup'), 'latin1');
}

/**
 * Whom Yama lets take descriptors of a process (kernel.yama.ptrace_scope): 0 and 1 every one with SYS_PTRACE, 2 the same,
 * 3 nobody, until the machine starts again. Undefined where the kernel has no Yama.
 */
export function ptraceScope(procRoot: string): number | undefined {
  try {
    return Number(readFileSync(join(procRoot, 'sys/kernel/yama/ptrace_scope'), 'latin1'));
  } catch {
    return undefined;
  }
}

/**
 * Undefined where the process has ended meanwhile, and where it cannot be told: whoever makes groups deep enough has a path that there are
 * kernels that refuse to print (ENAMETOOLONG), to everybody.
 */
export function readCgroups(procRoot: string, pid: number): string | undefined {
  return ifReadable(() => cgroupsIn(join(procRoot, String(pid))));
}

/** Of a process `PID`, or a thread `PID/task/TID`; undefined where it has ended, or cannot be told. */
export function startTicksOf(procRoot: string, id: string): number | undefined {
  return ifReadable(() => startTicksIn(readFileSync(join(procRoot, id, 'stat'), 'latin1')));
}

/** A process, and never another that was given its number since. */
export interface MetProcess {
  readonly pid: number;
  /** Clock ticks since the machine started. */
  readonly started: number;
}

export function isStillThere(procRoot: string, { pid, started }: MetProcess): boolean {
  return startTicksOf(procRoot, String(pid)) === started;
}

/** `R`: runs, or waits for a processor; `D` and `S`: waits for something else (proc_pid_stat(5)). Undefined where it has ended, or cannot be told. */
export function stateOf(procRoot: string, pid: number): string | undefined {
  return stateIn(join(procRoot, String(pid)));
}

/** Bytes of memory that no other process has: `RssAnon` of `status`, which is told without waiting for the process. Undefined where it has ended. */
export function ownMemoryOf(procRoot: string, pid: number): number | undefined {
  const status = ifReadable(() => readFileSync(join(procRoot, String(pid), 'status'), 'latin1'));
  const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

function stateIn(folder: string): string | undefined {
  return ifReadable(() => fieldsAfterName(readFileSync(join(folder, 'stat'), 'latin1'))[0]);
}

/** Field 22 of `stat`: clock ticks since the machine started. */
function startTicksIn(stat: string): number {
  return Number(fieldsAfterName(stat)[19]);
}

/** The name in brackets may hold spaces and brackets itself. */
function fieldsAfterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Runs `action` on a process; undefined where it has ended, or ends meanwhile. */
export function withProcess<T>(
  procRoot: string,
  pid: number,
  action: (process: ProcessHandle) => T,
): T | undefined {
  return ifAlive(() => {
    const handle = ProcessHandle.open(procRoot, pid);
    try {
      return action(handle);
    } finally {
      handle.close();
    }
  });
}

function ifAlive<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** Of the reader, and of no process. */
const ownWant: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** What stands in the way of looking at one process is about that one: nobody who goes through all of them may be stopped by it. */
function ifReadable<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (ownWant.has((error as NodeJS.ErrnoException).code)) throw error;
    return undefined;
  }
}
