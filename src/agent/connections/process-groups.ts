import { numbersIn, readCgroups } from '../../kernel/process.ts';
import type { PodGroup } from '../pod-cgroup.ts';
import { PodGroups } from '../pod-cgroup.ts';
import { addTo } from '../sandbox.ts';

/** A runtime moves a process into its group soon after it was made, and never a program that runs. */
const settledMs = 10_000;
/** What was read is read anew so often, and not whenever some place is counted: places may be at times of their own. */
const believedMs = 60_000;

/** About 30 bytes each, and twice that while they are gone through; what is over is read anew at each look. */
const rememberedAtMost = 250_000;

/** The processes of each pod's groups; with undefined, those of no pod. */
export type GroupMembers = ReadonlyMap<PodGroup | undefined, readonly number[]>;

/**
 * Which process of the node stands in which pod's group. What was read is believed for a minute:
 * otherwise one pod that is looked at each second would have all processes of the node read each second. Whoever acts on
 * it asks the very process again.
 */
export class ProcessGroups {
  readonly #procRoot: string;
  readonly #now: () => number;
  readonly #most: number;
  #groups = new PodGroups();
  #settled: ReadonlyMap<number, PodGroup | undefined> = new Map();
  /** Those that may be moved yet, since when they are known. */
  #young: ReadonlyMap<number, number> = new Map();
  #readAllMs = -Infinity;

  constructor(
    procRoot: string,
    now: () => number = () => performance.now(),
    most: number = rememberedAtMost,
  ) {
    this.#procRoot = procRoot;
    this.#now = now;
    this.#most = most;
  }

  /** Yields between processes. One that cannot be told is nobody's, and left out. */
  *walk(): Generator<undefined, GroupMembers> {
    const nowMs = this.#now();
    const anew = nowMs - this.#readAllMs >= believedMs;
    if (anew) this.#beginAnew(nowMs);
    const members = new Map<PodGroup | undefined, number[]>();
    const settled = new Map<number, PodGroup | undefined>();
    const young = new Map<number, number>();
    for (const pid of numbersIn(this.#procRoot)) {
      const found = this.#groupOf(pid, anew);
      yield;
      if (found === 'untold') continue;
      addTo(members, found, pid);
      if (settled.size + young.size >= this.#most) continue;
      const sinceMs = this.#young.get(pid) ?? nowMs;
      const isSettled = this.#settled.has(pid) || nowMs - sinceMs > settledMs;
      if (isSettled) settled.set(pid, found);
      else young.set(pid, sinceMs);
    }
    this.#settled = settled;
    this.#young = young;
    return members;
  }

  /** Containers come and go. */
  #beginAnew(nowMs: number): void {
    this.#readAllMs = nowMs;
    this.#groups = new PodGroups();
  }

  #groupOf(pid: number, anew: boolean): PodGroup | undefined | 'untold' {
    if (!anew && this.#settled.has(pid)) return this.#settled.get(pid);
    const text = readCgroups(this.#procRoot, pid);
    return text === undefined ? 'untold' : this.#groups.of(text);
  }
}
