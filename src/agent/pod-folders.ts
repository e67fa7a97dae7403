import { statSync } from 'node:fs';
import { join } from 'node:path';

import { firstProcess, readCgroups } from '../kernel/process.ts';
import type { PodPlace } from '../policy/place.ts';
import type { PodIdentity } from '../policy/pod-identity.ts';
import { identify } from '../policy/pod-identity.ts';
import { podFolderOf } from './pod-cgroup.ts';
import { processesOfPods } from './sandbox.ts';

interface Known {
  readonly path: string;
  readonly inode: bigint;
}

/** Of all processes: no more often than this, and than a twentieth of a core. */
const rest = { leastMs: 1000, times: 20 };

/** The folders of pods in control groups v2, by which their sockets are known in a network that is not theirs alone. */
export class PodFolders {
  readonly #procRoot: string;
  readonly #groupRoot: string;
  readonly #known = new Map<PodPlace, Known>();
  #restUntilMs = -Infinity;

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

  /** Inode numbers; without those that are not there yet, or that others lay claim to. */
  find(
    places: ReadonlySet<PodPlace>,
    pods: ReadonlyMap<PodPlace, PodIdentity>,
  ): ReadonlyMap<PodPlace, bigint> {
    for (const [place, known] of this.#known)
      if (!places.has(place) || inodeOf(known.path) !== known.inode) this.#known.delete(place);
    if ([...places].some((place) => !this.#known.has(place))) this.#look(places, pods);
    return new Map([...this.#known].map(([place, { inode }]) => [place, inode]));
  }

  #look(places: ReadonlySet<PodPlace>, pods: ReadonlyMap<PodPlace, PodIdentity>): void {
    const startedMs = performance.now();
    if (startedMs < this.#restUntilMs) return;
    const processes = processesOfPods(this.#procRoot);
    const { groups } = identify(pods, processes);
    for (const place of places) {
      const group = groups.get(place);
      const found = processes.find((one) => group !== undefined && one.group === group);
      const folder = found && podFolderOf(readCgroups(this.#procRoot, found.pid) ?? '');
      const path = folder === undefined ? undefined : join(this.#groupRoot, folder);
      const inode = path === undefined ? undefined : inodeOf(path);
      if (path !== undefined && inode !== undefined) this.#known.set(place, { path, inode });
    }
    const tookMs = performance.now() - startedMs;
    this.#restUntilMs = startedMs + Math.max(rest.leastMs, tookMs * rest.times);
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
