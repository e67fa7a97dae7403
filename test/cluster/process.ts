import { readdirSync, readFileSync } from 'node:fs';

/** A process that cannot be taken for a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly started: string;
}

export interface ProcessEntry extends ProcessId {
  readonly parent: number;
  /** Empty for a process that has ended, or is about to. */
  readonly argv: readonly string[];
}

function identify(pid: number): ProcessId | undefined {
  const stat = statOf(pid);
  return stat === undefined ? undefined : { pid, started: stat.started };
}

export function self(): ProcessId {
  const id = identify(process.pid);
  if (id === undefined) throw new Error('/proc is not mounted: the cluster needs it to find its processes');
  return id;
}

/**
 * A zombie has ended, though its parent does not know yet; not before its last thread has, which may still hold
 * a port while the first one is a zombie already.
 */
export function isAlive({ pid, started }: ProcessId): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.started === started && (stat.state !== 'Z' || threadsOf(pid) > 1);
}

function threadsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

/** Sends a signal, never to a stranger that got the number since. */
export function signal(id: ProcessId, name: NodeJS.Signals): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Every process of this machine that has a command line. */
export function processes(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .flatMap((entry) => {
      const pid = Number(entry);
      const stat = statOf(pid);
      const argv = read(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1) ?? [];
      return stat === undefined || argv.length === 0 ? [] : [{ pid, argv, ...stat }];
    });
}

/** Whether it is the first process of a pid namespace below ours. */
export function isFirst(pid: number): boolean {
  const numbers = /^NSpid:\t(.*)$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]?.split('\t') ?? [];
  return numbers.length > 1 && numbers.at(-1) === '1';
}

function statOf(pid: number): { state: string; parent: number; started: string } | undefined {
  const fields = statFieldsOf(pid);
  return fields && { state: fields[0] ?? '', parent: Number(fields[1]), started: fields[19] ?? '' };
}

/** Those of /proc/PID/stat from the third on, as `proc(5)` numbers them; undefined for a process that has ended meanwhile. */
export function statFieldsOf(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name in brackets may hold spaces and brackets itself.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Undefined for a process that has ended meanwhile. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Processes whose control group has this in its path, such as the uid of a pod. */
export function processesIn(group: string): ProcessEntry[] {
  return processes().filter(({ pid }) => read(`/proc/${pid}/cgroup`)?.includes(group) === true);
}
