import type { SocketReading } from '../../policy/connection.ts';
import type { Place, PodPlace } from '../../policy/place.ts';
import { HOST } from '../../policy/place.ts';
import type { PodIdentity } from '../../policy/pod-identity.ts';
import { identify } from '../../policy/pod-identity.ts';
import { refusedUnder } from '../../policy/unreached.ts';
import { ptraceScope } from '../../kernel/process.ts';
import type { openThreadPidfd } from '../../kernel/syscall.ts';
import type { Diary } from './diary.ts';
import { ProcessGroups } from './process-groups.ts';
import type { Process } from './process-sockets.ts';
import { ProcessSockets } from './process-sockets.ts';
import type { LookTarget, Memory } from './socket-look.ts';
import { mostDescriptors, noMemory, SocketLook } from './socket-look.ts';

export interface LookRequest {
  readonly targets: readonly LookTarget[];
  /** Pods of the host's network: their processes are looked for where the host's are. */
  readonly hostPods: ReadonlySet<PodPlace>;
  /** All pods of the node, so that nobody is taken for another. */
  readonly pods: ReadonlyMap<PodPlace, PodIdentity>;
}

/** The processes of one place. A tenant may have a million: of each, its number is all. */
interface Members {
  group: string | undefined;
  readonly pids: number[];
}

export interface Looked {
  readonly reading: SocketReading;
  /**
   * `counted`: all of its sockets; `looked`: only new ones; `hung`: a system call on a socket did not return.
   */
  readonly as: 'counted' | 'looked' | 'hung';
  /** Of a core, with its share of finding all processes: what it takes decides how soon the place is looked at again. */
  readonly cpuMs: number;
}

export interface SocketScanOptions {
  readonly procRoot: string;
  readonly diary: Pick<Diary, 'begin' | 'touch'>;
  /** Descriptors that one look at a place goes through. */
  readonly mostDescriptors?: number;
  /** After so many milliseconds no further place is begun. */
  readonly longestLookMs?: number;
  /** Sockets that are remembered, of all places. */
  readonly mostRemembered?: number;
  /** What this process has taken of a core. */
  readonly spentMs?: () => number;
  /** As the kernel has it. */
  readonly openThread?: typeof openThreadPidfd;
}

/** Whoever has few sockets waits no longer than this, and for one place that has many. */
const longestLookMs = 2000;
/** About 40 bytes each. */
const rememberedAtMost = 400_000;

/**
 * Looks at the sockets of processes, by their descriptors: what a socket costs does not depend on how many there are
 * elsewhere. All of it blocks, and a system call on something of a tenant's may block for ever: it belongs into a process of
 * its own (ADR 0017).
 */
export class SocketScan {
  readonly #options: SocketScanOptions;
  readonly #groups: ProcessGroups;
  readonly #processes: ProcessSockets;
  readonly #remembered = new Map<Place, Memory>();
  readonly #spentMs: () => number;

  constructor(options: SocketScanOptions) {
    this.#options = options;
    this.#spentMs = options.spentMs ?? spentMs;
    this.#groups = new ProcessGroups(options.procRoot);
    this.#processes = new ProcessSockets(options.procRoot, options.openThread);
  }

  /** Yields each place that is done, and undefined between small steps. Ends before the last place where that takes long. */
  *look(request: LookRequest): Generator<Looked | undefined, void> {
    this.#options.diary.begin(0);
    const fromMs = this.#spentMs();
    const processes = yield* this.#processesOf(request);
    // Else whoever is looked at all the time would have all processes of the node gone through at nobody's expense.
    const shareMs = (this.#spentMs() - fromMs) / request.targets.length;
    const untilMs = performance.now() + (this.#options.longestLookMs ?? longestLookMs);
    for (const [at, target] of request.targets.entries()) {
      if (at > 0 && performance.now() > untilMs) break;
      this.#options.diary.begin(at);
      for (const looked of this.#lookAt(target, processes.get(target.place)))
        yield looked && { ...looked, cpuMs: looked.cpuMs + shareMs };
    }
    this.#options.diary.begin(0);
  }

  /** What is remembered of places that are looked at no more. */
  forget(places: readonly Place[]): void {
    for (const place of places) this.#remembered.delete(place);
  }

  *#processesOf({
    targets,
    hostPods,
    pods,
  }: LookRequest): Generator<undefined, ReadonlyMap<Place, Readonly<Members>>> {
    const none = (): Members => ({ group: undefined, pids: [] });
    const wanted = new Map<Place, Members>(targets.map(({ place }) => [place, none()]));
    const found = yield* this.#groups.walk();
    const { groups } = identify(
      pods,
      found.keys().filter((one) => one !== undefined),
    );
    const placeOf = new Map<string, Place>([...groups].map(([place, group]) => [group, place]));
    for (const [one, pids] of found) {
      const place = one === undefined ? HOST : placeOf.get(one.group);
      const members = place === undefined ? undefined : wanted.get(place);
      if (place === undefined || members === undefined) continue;
      members.group = one?.group;
      const isOfHost = place === HOST || hostPods.has(place);
      for (const pid of pids) {
        if (this.#processes.isInItsNetwork(pid, isOfHost)) members.pids.push(pid);
        yield;
      }
    }
    return wanted;
  }

  *#lookAt(
    target: LookTarget,
    { group, pids }: Readonly<Members> = { group: undefined, pids: [] },
  ): Generator<Looked | undefined, void> {
    const { diary, mostDescriptors: most = mostDescriptors } = this.#options;
    const before = this.#remembered.get(target.place) ?? noMemory;
    const look = new SocketLook(target, { before, diary, most });
    const fromMs = this.#spentMs();
    for (const pid of pids) {
      yield* this.#lookInto({ pid, group }, target, look);
      // Of one without descriptors, or past the last that is looked at, nothing else is yielded.
      yield;
    }
    this.#processes.rest();
    const { reading, memory } = look.end();
    this.#remember(target.place, memory);
    const cpuMs = this.#spentMs() - fromMs;
    yield { reading, as: target.everySocket ? 'counted' : 'looked', cpuMs };
  }

  *#lookInto(one: Process, { avoid }: LookTarget, look: SocketLook): Generator<undefined, void> {
    if (avoid.some(({ pid, inode }) => pid === one.pid && inode === 0)) return look.leaveOut();
    this.#options.diary.touch(one.pid, 0);
    try {
      yield* this.#processes.look(one, look);
      look.endProcess();
    } catch (error) {
      look.endProcess(this.#reasonOf(error as NodeJS.ErrnoException));
    }
  }

  /** Of the largest places nothing is remembered where all together are too many: it costs their owners more looks. */
  #remember(place: Place, memory: Memory): void {
    this.#remembered.set(place, memory);
    let total = [...this.#remembered.values()].reduce((sum, one) => sum + sizeOf(one), 0);
    const largestFirst = [...this.#remembered].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a));
    for (const [largest, one] of largestFirst) {
      if (total <= (this.#options.mostRemembered ?? rememberedAtMost)) return;
      this.#remembered.delete(largest);
      total -= sizeOf(one);
    }
  }

  /**
   * Undefined where the process has ended, which is no failure. The kernel refuses with the same code whoever refuses;
   * Yama's setting tells whether a capability would help.
   */
  #reasonOf({ code, message }: NodeJS.ErrnoException): string | undefined {
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    const scope = code === 'EPERM' ? ptraceScope(this.#options.procRoot) : undefined;
    return scope === undefined ? (code ?? message) : refusedUnder(scope);
  }
}

function spentMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function sizeOf({ met, armed }: Memory): number {
  return met.size + armed.size;
}
