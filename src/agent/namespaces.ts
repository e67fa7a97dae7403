import { closeSync } from 'node:fs';

import { KeepaliveFiles } from '../kernel/keepalive-files.ts';
import type { NamespaceIdentity } from '../kernel/network-namespace.ts';
import { HomeNamespace, identityInside, inodeOf, networkOf } from '../kernel/network-namespace.ts';
import { firstProcess, isStillThere, startTicksOf, withProcess } from '../kernel/process.ts';
import type { Place, PodPlace } from '../policy/place.ts';
import { HOST } from '../policy/place.ts';
import type { Identified, PodIdentity } from '../policy/pod-identity.ts';
import { identify } from '../policy/pod-identity.ts';
import type { SandboxRuntime } from '../policy/runtime.ts';
import { sandboxOf } from '../policy/runtime.ts';
import type { PodProcesses } from './sandbox.ts';
import { isInGroup, isStarting, oldestFirst, processesOfPods, traitsOf } from './sandbox.ts';

export interface OpenNamespace {
  readonly files: KeepaliveFiles;
  /** Names this very namespace: a pod's next one has another. */
  readonly identity: string;
  /** Of the namespace; undefined before Linux 5.14. */
  readonly cookie: bigint | undefined;
  /** A process that was in it. */
  readonly pid: number;
  /** When that process started, in ticks: its number may go to another. */
  readonly started: number;
  /** The pod's control group; undefined for the host. */
  readonly group: string | undefined;
  /** What runs the pod with a kernel of its own, which this namespace then is not of. */
  readonly sandbox: SandboxRuntime | undefined;
}

export interface Sought {
  readonly places: readonly Place[];
  /** All pods of the node, so that nobody is taken for another. */
  readonly pods: ReadonlyMap<PodPlace, PodIdentity>;
}

export interface Opened {
  /** Error codes of what is there and cannot be entered. */
  readonly failures: ReadonlyMap<Place, string>;
  /** Who else lays claim to what a pod does; undefined where no pod was looked for. */
  readonly contested: Identified['contested'] | undefined;
}

/** The network namespaces of the host and of its pods, found through their processes and held open. */
export class Namespaces {
  readonly #procRoot: string;
  readonly #onWalk: (ms: number) => void;
  readonly #home = new HomeNamespace();
  readonly #opened = new Map<Place, OpenNamespace>();
  /** Of what is open, where the pod may have gone on to another network: it is looked for again. */
  readonly #doubted = new Set<Place>();

  /** `onWalk` is told how long it took to go through all processes of the node, and to open what was found. */
  constructor(procRoot: string, onWalk: (ms: number) => void = () => undefined) {
    this.#procRoot = procRoot;
    this.#onWalk = onWalk;
  }

  get(place: Place): OpenNamespace | undefined {
    return this.#opened.get(place);
  }

  /** Whether the process that led to its namespace still runs: one that has ended keeps its number until it is waited for, and no network. */
  isLed(place: Place): boolean {
    const opened = this.#opened.get(place);
    if (opened === undefined || !isStillThere(this.#procRoot, opened)) return false;
    return typeof attempt(() => networkOf(this.#procRoot, opened.pid)) === 'bigint';
  }

  /** Looked for anew when it is opened next. Until another is found, what is open stays: only of that one the values can go back. */
  doubt(place: Place): void {
    if (this.#opened.has(place)) this.#doubted.add(place);
  }

  isDoubted(place: Place): boolean {
    return this.#doubted.has(place);
  }

  places(): Place[] {
    return [...this.#opened.keys()];
  }

  /** Looks for these places, through the processes of the host once for all. What has no process stays unopened. */
  open({ places, pods }: Sought): Opened {
    if (places.length === 0) return { failures: new Map(), contested: undefined };
    const host = attempt(() => this.#openProcess(firstProcess, () => true));
    // Whoever does not know the host's own namespace could take it for a pod's.
    if (typeof host === 'string' || host === undefined)
      return {
        failures: new Map(places.map((place) => [place, host ?? 'ESRCH'])),
        contested: undefined,
      };
    if (places.includes(HOST)) this.#keep(HOST, host);
    else host.files.close();
    const ofPods = places.filter((place) => place !== HOST);
    return ofPods.length === 0
      ? { failures: new Map(), contested: undefined }
      : this.#openPods({ places: ofPods, pods }, host.inode);
  }

  close(place: Place): void {
    this.#opened.get(place)?.files.close();
    this.#opened.delete(place);
    this.#doubted.delete(place);
  }

  closeAll(): void {
    for (const place of this.places()) this.close(place);
    this.#home.close();
  }

  #openPods(
    { places, pods }: { places: readonly PodPlace[]; pods: Sought['pods'] },
    hostInode: bigint,
  ): Opened {
    const startedMs = performance.now();
    const processes = processesOfPods(this.#procRoot);
    const { groups, contested } = identify(pods, processes.keys());
    const sought = new Map(
      places.flatMap((place) => {
        const group = groups.get(place);
        // One that is open stays so: its files lead to no other.
        const isHeld = this.#opened.has(place) && !this.#doubted.has(place);
        return group === undefined || isHeld ? [] : [[group, place] as const];
      }),
    );
    const members = Map.groupBy(processes, ([{ group }]) => group);
    const failures = new Map<Place, string>();
    for (const [group, place] of sought) {
      const failure = this.#openGroup({ place, group }, new Map(members.get(group)), hostInode);
      if (failure !== undefined) failures.set(place, failure);
    }
    // Not before: whoever has many processes in the group of a pod lengthens all of it.
    this.#onWalk(performance.now() - startedMs);
    return { failures, contested };
  }

  /**
   * Passed over is what is in the host's own network, as what starts a container is for a moment and some
   * runtimes' monitors are: pods of the host's network are not looked for here.
   */
  #openGroup(
    { place, group }: { readonly place: PodPlace; readonly group: string },
    members: PodProcesses,
    hostInode: bigint,
  ): string | undefined {
    for (const pid of oldestFirst(this.#procRoot, members, hostInode)) {
      const found = attempt(() => this.#openProcess(pid, (inode) => inode !== hostInode, group));
      if (typeof found === 'string') return found;
      if (found === undefined) continue;
      this.#keep(place, found);
      return undefined;
    }
    return undefined;
  }

  #keep(place: Place, { files, identity, cookie, pid, started, group, sandbox }: OpenNamespace): void {
    this.close(place);
    this.#opened.set(place, { files, identity, cookie, pid, started, group, sandbox });
  }

  /** Undefined where the process has ended, is of another pod by now, has not begun, or its namespace is not to be had. */
  #openProcess(
    pid: number,
    mayBe: (inode: bigint) => boolean,
    group?: string,
  ): (OpenNamespace & { readonly inode: bigint }) | undefined {
    return withProcess(this.#procRoot, pid, (process) => {
      if (group !== undefined && (!isInGroup(process, group) || isStarting(process))) return undefined;
      const fd = process.openNetworkNamespace();
      try {
        const [inode, started] = [inodeOf(fd), startTicksOf(this.#procRoot, String(pid))];
        if (!mayBe(inode) || started === undefined) return undefined;
        const sandbox = group === undefined ? undefined : sandboxOf(traitsOf(this.#procRoot, process));
        return this.#home.away(fd, () => {
          const identity = identityInside(fd);
          return {
            ...{ inode, group, sandbox, pid, started, cookie: identity.cookie, identity: nameOf(identity) },
            files: KeepaliveFiles.open(this.#procRoot),
          };
        });
      } finally {
        closeSync(fd);
      }
    });
  }
}

/** An error's code instead of the error. */
function attempt<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

function nameOf({ cookie, inode }: NamespaceIdentity): string {
  return cookie === undefined ? `inode ${inode}` : `cookie ${cookie}`;
}
