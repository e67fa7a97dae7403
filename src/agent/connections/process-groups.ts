import { numbersIn, readCgroups } from '../../kernel/process.ts';
import type { PodGroup } from '../pod-cgroup.ts';
import { podOfCgroups } from '../pod-cgroup.ts';

interface Known {
  readonly found: PodGroup | undefined;
  readonly sinceMs: number;
}

/** A runtime moves a process into its group soon after it was made, and never a program that runs. */
const settledMs = 10_000;
/** What was read is read anew so often, and not whenever some place is counted: places may be at times of their own. */
const believedMs = 60_000;

/**
 * Which process of the node stands in which pod's group. What was read is believed for a minute:
 * otherwise one pod that is looked at each second would have all processes of the node read each second. Whoever acts on
 * it asks the very process again.
 */
export class ProcessGroups {
  readonly #procRoot: string;
  readonly #now: () => number;
  #known = new Map<number, Known>();
  #readAllMs = -Infinity;

  constructor(procRoot: string, now: () => number = () => performance.now()) {
    this.#procRoot = procRoot;
    this.#now = now;
  }

  /** Yields between processes; the groups, undefined for a process of no pod, are returned. One that cannot be told is nobody's, and left out. */
  *walk(): Generator<undefined, ReadonlyMap<number, PodGroup | undefined>> {
    const nowMs = this.#now();
    const anew = nowMs - this.#readAllMs >= believedMs;
    if (anew) this.#readAllMs = nowMs;
    const next = new Map<number, Known>();
    for (const pid of numbersIn(this.#procRoot)) {
      const before = this.#known.get(pid);
      const sinceMs = before?.sinceMs ?? nowMs;
      const isBelieved = before !== undefined && !anew && nowMs - sinceMs > settledMs;
      const known = isBelieved ? before : this.#read(pid, sinceMs);
      if (known !== undefined) next.set(pid, known);
      yield;
    }
    this.#known = next;
    return new Map([...next].map(([pid, { found }]) => [pid, found]));
  }

  #read(pid: number, sinceMs: number): Known | undefined {
    const text = readCgroups(this.#procRoot, pid);
    return text === undefined ? undefined : { found: podOfCgroups(text), sinceMs };
  }
}
