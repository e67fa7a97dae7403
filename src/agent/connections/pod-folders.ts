import { statSync } from 'node:fs';
import { join } from 'node:path';

import { firstProcess, readCgroups } from '../../kernel/process.ts';
import type { PodPlace } from '../../policy/place.ts';
import type { PodIdentity } from '../../policy/pod-identity.ts';
import { identify } from '../../policy/pod-identity.ts';
import { podFolderOf, podOfCgroups } from '../pod-cgroup.ts';
import { processesOfPods } from '../sandbox.ts';

interface Known {
  readonly path: string;
  readonly inode: bigint;
}

/** Of all processes: no more often than this, and than a twentieth of a core; more and more seldom where nothing comes of it. */
const rest = { leastMs: 1000, times: 20, mostMs: 60_000 };

/** The folders of pods in control groups v2, by which their sockets are known in a network that is not theirs alone. */
export class PodFolders {
  readonly #procRoot: string;
  readonly #groupRoot: string;
  readonly #known = new Map<PodPlace, Known>();
  #restUntilMs = -Infinity;
  #inVain = 0;

  /** `groupRoot`: where control groups v2 begin. */
  constructor(procRoot: string, groupRoot: string) {
    this.#procRoot = procRoot;
    this.#groupRoot = groupRoot;
  }

  /** Whether what runs here stands in control groups of version 2 alone: otherwise sockets do not tell their pods. */
  get isUsable(): boolean {
    return (readCgroups(this.#procRoot, firstProcess) ?? '')
      .trim()
      .split('\n')
      .every((line) => line.startsWith('0::'));
  }

  /** Inode numbers; without those that others lay claim to. `sought`: of these, who runs, so that it must be there. */
  find(
    { places, sought }: { readonly places: ReadonlySet<PodPlace>; readonly sought: ReadonlySet<PodPlace> },
    pods: ReadonlyMap<PodPlace, PodIdentity>,
  ): ReadonlyMap<PodPlace, bigint> {
    for (const [place, known] of this.#known)
      if (!places.has(place) || inodeOf(known.path) !== known.inode) this.#known.delete(place);
    const missing = () => [...sought].filter((place) => !this.#known.has(place)).length;
    const before = missing();
    if (before > 0 && performance.now() >= this.#restUntilMs) {
      const tookMs = this.#look(places, pods);
      this.#inVain = missing() < before ? 0 : this.#inVain + 1;
      const restMs = Math.max(rest.leastMs * 2 ** this.#inVain, tookMs * rest.times);
      this.#restUntilMs = performance.now() + Math.min(restMs, rest.mostMs);
    }
    return new Map([...this.#known].map(([place, { inode }]) => [place, inode]));
  }

  /** How long it is until somebody who is missing is looked for again. */
  get restMs(): number {
    return Math.max(0, this.#restUntilMs - performance.now());
  }

  /** What it took. */
  #look(places: ReadonlySet<PodPlace>, pods: ReadonlyMap<PodPlace, PodIdentity>): number {
    const startedMs = performance.now();
    const processes = processesOfPods(this.#procRoot);
    const { groups } = identify(pods, processes.keys());
    for (const place of places) {
      const group = groups.get(place);
      const [, [pid] = []] = processes.entries().find(([one]) => one.group === group) ?? [];
      const folder = pid === undefined ? undefined : this.#folderOf(pid, group);
      const path = folder === undefined ? undefined : join(this.#groupRoot, folder);
      const inode = path === undefined ? undefined : inodeOf(path);
      if (path !== undefined && inode !== undefined) this.#known.set(place, { path, inode });
    }
    return performance.now() - startedMs;
  }

  /** Undefined where the process has ended: its number may be that of a process of another pod by now. */
  #folderOf(pid: number, group: string | undefined): string | undefined {
    const text = readCgroups(this.#procRoot, pid) ?? '';
    return podOfCgroups(text)?.group === group ? podFolderOf(text) : undefined;
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
