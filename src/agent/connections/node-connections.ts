import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { attempt } from '../../kernel/connection-pins.ts';
import type { ConnectionProgramOptions } from '../../kernel/connection-program.ts';
import { ConnectionProgram } from '../../kernel/connection-program.ts';
import type { ConnectionMeans } from '../../policy/connection-means.ts';
import { meansWithoutProgram } from '../../policy/connection-means.ts';
import type { SocketReading, SocketTarget } from '../../policy/connection.ts';
import type { Place, PodPlace } from '../../policy/place.ts';
import type { PodIdentity } from '../../policy/pod-identity.ts';
import { KernelOrders, nothingHeld, withdrawFrom } from './kernel-orders.ts';
import type { Network } from '../node-kernel.ts';
import { PodFolders } from './pod-folders.ts';
import type { Pins } from './program-ground.ts';
import { descriptorGround, isPassing, openProgram, pinsOf, removePins } from './program-ground.ts';
import { ToldTally } from './told-tally.ts';

export interface NodeConnectionsOptions {
  readonly procRoot: string;
  /** The compiled program for the kernel; undefined where it is not to be used. */
  readonly objectFile: string | undefined;
  /** The network namespace of a place, where it is known. */
  readonly networkOf: (place: Place) => Network | undefined;
  /** Rejects where this machine cannot have it, and says why. */
  readonly open?: (options: ConnectionProgramOptions) => Promise<OpenProgram>;
}

type OpenProgram = Pick<ConnectionProgram, keyof ConnectionProgram>;

/** A place whose new connections have their values from the kernel. */
export interface Served {
  readonly place: Place;
  readonly network: Network;
}

export interface Following {
  readonly served: readonly Served[];
  /** When some are to be asked for again, of whom not all is known yet, in milliseconds; undefined where all is. */
  readonly againMs: number | undefined;
  /** By what the kernel said of it, how many places it refused to serve. */
  readonly refused: Readonly<Record<string, number>>;
  /** The kernel has met no connection yet, since what it had met them by was taken away and is loaded anew. */
  readonly isAnew?: boolean;
}

export interface Counted {
  readonly readings: readonly SocketReading[];
  /** Places of which a connection lacks what was ordered, since its program changed its mind. */
  readonly loosened: readonly Place[];
  /** What it took of a core, and not what others of this thread did meanwhile. */
  readonly cpuMs: number;
}

interface Loaded {
  readonly program: OpenProgram;
  readonly orders: KernelOrders;
  readonly load: () => Promise<Loaded>;
}

const switchedOff = 'switched off by CONNECTIONS';

/** Whose connections are asked about. */
export interface Followed {
  readonly targets: readonly SocketTarget[];
  /** Pods of the host's network. */
  readonly hostPods: ReadonlySet<PodPlace>;
  /** Of these, those of which a container runs. */
  readonly running: ReadonlySet<PodPlace>;
  /** All pods of the node. */
  readonly pods: ReadonlyMap<PodPlace, PodIdentity>;
  /** Of these nobody can tell all that is asked: what an earlier agent was asked goes on. */
  readonly held: ReadonlySet<Place>;
}

/**
 * The connections of a node as far as the kernel itself looks after them. Loading the program is a process of its own; all
 * else blocks, and none of it waits for a program of somebody else.
 */
export class NodeConnections {
  /** Whether sockets are looked for by the descriptors of programs: where the kernel hands none over, that tells of each place. */
  readonly byDescriptors: boolean;
  readonly #pins: Pins;
  readonly #fault: string | undefined;
  readonly #networkOf: NodeConnectionsOptions['networkOf'];
  #means: ConnectionMeans;
  /** Undefined where it is loaded, or loading it again would end as it did. */
  #load: (() => Promise<Loaded>) | undefined;
  #trying: Promise<unknown> = Promise.resolve();
  #isEnding = false;
  /** Of this agent, whole or not: what it was told acts on where only a part of its pins is gone. */
  #loaded: Loaded | undefined;

  private constructor(options: NodeConnectionsOptions) {
    const { procRoot, networkOf } = options;
    this.#pins = pinsOf(procRoot);
    this.#networkOf = networkOf;
    const { byDescriptors, fault } = descriptorGround(procRoot);
    this.byDescriptors = byDescriptors;
    this.#fault = fault;
    this.#means = meansWithoutProgram('not loaded yet', this.#fault);
    this.#load = async () => loaderOf(options, this.#pins)();
  }

  static async open(options: NodeConnectionsOptions): Promise<NodeConnections> {
    const connections = new NodeConnections(options);
    await connections.tryAgain();
    return connections;
  }

  get means(): ConnectionMeans {
    return this.#means;
  }

  /** The program could not be loaded for a reason that may pass, or not anew: {@link tryAgain} is to be called now and then. */
  get mayBeLoaded(): boolean {
    return this.#load !== undefined;
  }

  /** Whether {@link means} are others now. */
  async tryAgain(): Promise<boolean> {
    const before = this.#means;
    this.#trying = this.#tryAgain();
    await this.#trying;
    return !isDeepStrictEqual(this.#means, before);
  }

  async #tryAgain(): Promise<void> {
    const load = this.#load;
    if (load === undefined) return;
    const before = this.#loaded?.program;
    try {
      this.#loaded = withAllOf(before, await load());
      this.#load = undefined;
      this.#means = meansBy(this.#loaded.program.countless, this.#fault);
      if (before !== undefined) retire(before);
    } catch (error) {
      this.#means = meansWithoutProgram((error as Error).message, this.#fault);
      // What this machine has taken once it may take again, whatever keeps it from that now.
      if (before !== undefined || isPassing(error as NodeJS.ErrnoException)) return;
      this.#load = undefined;
      // What an agent before pinned would go on by what was asked for then.
      removePins(this.#pins);
    }
  }

  /** Where its programs are pinned; undefined where there are none, or where open connections cannot be swept by them. */
  get pins(): string | undefined {
    const program = this.means.by === 'BPF' ? this.#loaded?.program : undefined;
    return program?.sweeps === true ? program.folder : undefined;
  }

  /** From now on new connections of these places have what is asked there, and those of no other. */
  async follow(followed: Followed): Promise<Following> {
    if (this.#loaded === undefined) {
      if (this.mayBeLoaded) this.#leaveAsked(followed);
      return nobody;
    }
    const isAnew = await this.#loadIfGone(this.#loaded);
    const { orders, program } = this.#loaded;
    const { hasFollowed } = orders;
    const following = orders.follow(followed);
    if (this.mayBeLoaded) return nobody;
    // Only now does this build serve what the one before did: while a place is held, what that was told of it is its alone.
    if (!hasFollowed && orders.hasFollowed) attempt(() => program.removeOthers());
    return { ...following, isAnew };
  }

  /** Until it is loaded, what an agent before was told goes on for those who ask for something, and for nobody else. */
  #leaveAsked({ targets, held, ...followed }: Followed): void {
    const { pinFolder, groupFolder } = this.#pins;
    const asking = targets.filter(({ wanted }) => wanted !== undefined).map(({ place }) => place);
    const goesOn = new Set([...held, ...asking]);
    if (groupFolder === undefined || goesOn.size === 0) return removePins(this.#pins);
    const others = () => ConnectionProgram.pinnedBefore(pinFolder, groupFolder);
    const program = { ...noProgram, others };
    const orders = new KernelOrders({ program, networkOf: this.#networkOf, folders: undefined });
    attempt(() => void orders.follow({ ...followed, targets: [], held: goesOn }));
  }

  /** Pins are files: somebody may have removed them. Where it cannot be loaded anew, {@link means} tell why. */
  async #loadIfGone({ program, load }: Loaded): Promise<boolean> {
    if (this.mayBeLoaded || program.isWhole) return false;
    this.#load = load;
    await this.tryAgain();
    return !this.mayBeLoaded;
  }

  /** How the connections of all places that are served stand; others may use the thread between two steps. */
  async count(): Promise<Counted> {
    const tally = new ToldTally(this.#loaded?.orders ?? { networks: new Map(), groups: new Map() });
    let cpuMs = 0;
    let began = process.threadCpuUsage();
    for (const told of this.#loaded?.program.read() ?? []) {
      if (this.#isEnding) throw new Error('connections are counted no more: this agent ends');
      tally.add(told);
      cpuMs += millisecondsSince(began);
      await setImmediate();
      began = process.threadCpuUsage();
    }
    const counted = tally.end();
    return { ...counted, cpuMs: cpuMs + millisecondsSince(began) };
  }

  /** The count that is under way ends at its next step. */
  endCounts(): void {
    this.#isEnding = true;
  }

  /** Nothing of any agent's of this node is left in the kernel. */
  async remove(): Promise<void> {
    // Otherwise it would be pinned by a process that nobody waits for.
    await this.#trying;
    this.#load = undefined;
    if (this.#loaded !== undefined) retire(this.#loaded.program);
    removePins(this.#pins);
  }
}

const nobody: Following = { served: [], againMs: undefined, refused: {} };

/** Others rely on what was there at first: until all of it is to be had again, descriptors look after everything. */
function withAllOf(before: OpenProgram | undefined, loaded: Loaded): Loaded {
  const { countless } = loaded.program;
  if (before === undefined || before.countless !== undefined || countless === undefined) return loaded;
  loaded.program.close();
  throw new Error(`loaded anew, connections cannot be counted: ${countless}`);
}

/**
 * Its pins may only be hidden, as by a second file system that was mounted over them, and then it acts on: nobody else could
 * take back what it was told.
 */
function retire(program: OpenProgram): void {
  attempt(() => withdrawFrom(program, nothingHeld));
  program.close();
}

/** Nothing was told to it, so there is nothing to be taken back. */
const noProgram = {
  ordered: () => [],
  unmarked: () => [],
  orderedGroups: () => [],
  order: () => undefined,
  orderGroup: () => undefined,
  withdraw: () => undefined,
  withdrawGroup: () => undefined,
};

/** Of this thread. */
function millisecondsSince(earlier: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(earlier);
  return (user + system) / 1000;
}

/** `countless`: why the program does not count. */
function meansBy(countless: string | undefined, fault: string | undefined): ConnectionMeans {
  if (countless === undefined) return { by: 'BPF', countedBy: 'BPF', why: undefined };
  return { ...meansWithoutProgram(countless, fault), by: 'BPF' };
}

/** Throws where there is nothing to load, or nothing to attach it to. */
function loaderOf(
  { procRoot, objectFile, networkOf, open = openProgram }: NodeConnectionsOptions,
  { pinFolder, groupFolder, fault }: Pins,
): () => Promise<Loaded> {
  if (objectFile === undefined) throw new Error(switchedOff);
  if (groupFolder === undefined) throw new Error(fault);
  const podFolders = new PodFolders(procRoot, groupFolder);
  const folders = podFolders.isUsable ? podFolders : undefined;
  const load = async (): Promise<Loaded> => {
    const program = await open({ procRoot, groupFolder, objectFile, pinFolder });
    return { program, orders: new KernelOrders({ program, networkOf, folders }), load };
  };
  return load;
}
