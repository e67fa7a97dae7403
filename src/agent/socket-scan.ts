import type { SocketReading, SocketTarget } from '../policy/connection.ts';
import { refusedUnder } from '../policy/connection-report.ts';
import type { Place, PodPlace } from '../policy/place.ts';
import { HOST } from '../policy/place.ts';
import type { PodIdentity } from '../policy/pod-identity.ts';
import { identify } from '../policy/pod-identity.ts';
import { processNumbers, ptraceScope, readCgroups } from '../kernel/process.ts';
import { podOfCgroups } from './pod-cgroup.ts';
import type { KnownSocket } from './process-sockets.ts';
import { ProcessSockets } from './process-sockets.ts';
import { SocketTally } from './socket-tally.ts';

export interface ScanRequest {
  readonly targets: readonly SocketTarget[];
  /** Pods of the host's network: their processes are looked for where the host's are. */
  readonly hostPods: ReadonlySet<PodPlace>;
  /** All pods of the node, so that nobody is taken for another. */
  readonly pods: ReadonlyMap<PodPlace, PodIdentity>;
  /** Look at every socket anew, since a program may have changed its mind; otherwise only at those not seen yet. */
  readonly everySocket: boolean;
}

interface Work {
  readonly pid: number;
  readonly target: SocketTarget;
  /** Of its pod; undefined for a process of the host. */
  readonly group: string | undefined;
}

/**
 * Looks at the sockets of processes, by their descriptors: what a socket costs does not depend on how many there are
 * elsewhere. It goes on in small steps, so that whoever waits for the thread does not wait for all of it.
 */
export class SocketScan {
  readonly #procRoot: string;
  /** By inode: sockets seen before, and how they stood. `null`: no TCP. */
  #known = new Map<number, KnownSocket | null>();
  #next = new Map<number, KnownSocket | null>();
  #queue: Work[] = [];
  #tallies = new Map<Place, SocketTally>();
  #processes: ProcessSockets | undefined;

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
  }

  /** Finds out which processes there are to look at. A scan that was not finished is dropped. */
  begin(request: ScanRequest): void {
    this.#tallies = new Map(request.targets.map((target) => [target.place, new SocketTally(target)]));
    this.#next = new Map();
    this.#processes?.close();
    const before = request.everySocket ? new Map<number, KnownSocket | null>() : this.#known;
    // What another process has open as well was looked at a moment ago.
    const knownOf = (inode: number) => this.#next.get(inode) ?? before.get(inode);
    this.#processes = new ProcessSockets(this.#procRoot, knownOf);
    this.#queue = this.#processesOf(request);
  }

  /** Undefined while there is more to do. */
  proceed(budgetMs: number): SocketReading[] | undefined {
    const deadline = performance.now() + budgetMs;
    while (this.#queue.length > 0) {
      if (performance.now() > deadline) return undefined;
      const work = this.#queue.pop();
      if (work !== undefined) this.#look(work);
    }
    this.#processes?.close();
    this.#processes = undefined;
    // Sockets that were not met again are closed: their numbers are free for others.
    this.#known = this.#next;
    return [...this.#tallies.values()].map((tally) => tally.reading());
  }

  #processesOf({ targets, hostPods, pods }: ScanRequest): Work[] {
    const byPlace = new Map(targets.map((target) => [target.place, target]));
    const processes = processNumbers(this.#procRoot).map((pid) => ({
      pid,
      found: podOfCgroups(readCgroups(this.#procRoot, pid) ?? ''),
    }));
    const { groups } = identify(
      pods,
      processes.flatMap(({ found }) => found ?? []),
    );
    const placeOf = new Map([...groups].map(([place, group]) => [group, place]));
    return processes.flatMap(({ pid, found }) => {
      const place = found === undefined ? HOST : placeOf.get(found.group);
      const target = place && byPlace.get(place);
      if (place === undefined || target === undefined) return [];
      const isOfHost = place === HOST || hostPods.has(place);
      if (this.#processes?.isInItsNetwork(pid, isOfHost) !== true) return [];
      return [{ pid, target, group: found?.group }];
    });
  }

  #look({ pid, target, group }: Work): void {
    const tally = this.#tallies.get(target.place);
    try {
      this.#processes?.look({ pid, group, wanted: target.wanted }, (inode, socket, repaired) => {
        // One that several processes share counts once.
        if (this.#next.has(inode)) return;
        this.#next.set(inode, socket);
        if (socket !== null) tally?.add(socket, repaired);
      });
    } catch (error) {
      tally?.addFailure(this.#reasonOf(error as NodeJS.ErrnoException));
    }
  }

  /** The kernel refuses with the same code whoever refuses; Yama's setting tells whether a capability would help. */
  #reasonOf({ code, message }: NodeJS.ErrnoException): string {
    const scope = code === 'EPERM' ? ptraceScope(this.#procRoot) : undefined;
    return scope === undefined ? (code ?? message) : refusedUnder(scope);
  }
}
