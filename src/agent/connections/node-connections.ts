import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import type { ConnectionProgramOptions } from '../../kernel/connection-program.ts';
import { ConnectionProgram } from '../../kernel/connection-program.ts';
import { unifiedRoot } from '../../kernel/control-group.ts';
import { firstProcess } from '../../kernel/process.ts';
import { handsOverDescriptors } from '../../kernel/syscall.ts';
import type { ConnectionMeans } from '../../policy/connection-means.ts';
import { meansWithoutProgram } from '../../policy/connection-means.ts';
import type { SocketReading, SocketTarget } from '../../policy/connection.ts';
import type { Place, PodPlace } from '../../policy/place.ts';
import type { PodIdentity } from '../../policy/pod-identity.ts';
import { KernelOrders } from './kernel-orders.ts';
import type { Network } from '../node-kernel.ts';
import { PodFolders } from './pod-folders.ts';
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

/** BPF_FS_MAGIC */
const bpfFileSystem = 0xcafe4a11;
const typesFile = '/sys/kernel/btf/vmlinux';
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

/** Where programs of ours are pinned, and the control group that those of this node act in; undefined where there is none. */
interface Pins {
  readonly pinFolder: string;
  readonly groupFolder: string | undefined;
}

/** How they are reached, and by what of ours, where it was loaded. */
interface Opened {
  readonly means: ConnectionMeans;
  readonly byDescriptors: boolean;
  readonly pins: Pins;
  readonly loaded?: Loaded;
}

/**
 * The connections of a node as far as the kernel itself looks after them. Loading the program is a process of its own; all
 * else blocks, and none of it waits for a program of somebody else.
 */
export class NodeConnections {
  readonly means: ConnectionMeans;
  /** Whether sockets are looked for by the descriptors of programs: where the kernel hands none over, that tells of each place. */
  readonly byDescriptors: boolean;
  readonly #pins: Pins;
  #isEnding = false;
  #loaded: Loaded | undefined;

  private constructor({ means, byDescriptors, pins, loaded }: Opened) {
    this.means = means;
    this.byDescriptors = byDescriptors;
    this.#pins = pins;
    this.#loaded = loaded;
  }

  static async open(options: NodeConnectionsOptions): Promise<NodeConnections> {
    const root = join(options.procRoot, String(firstProcess), 'root');
    const groups = groupRootOf(options.procRoot);
    const groupFolder = groups === undefined ? undefined : join(root, groups);
    const pins = { pinFolder: join(root, 'sys/fs/bpf/keepalive'), groupFolder };
    const byDescriptors = countsAsHost(options.procRoot);
    const fault = descriptorFault(byDescriptors);
    try {
      const loaded = await loaderOf(options, pins)();
      const means = meansBy(loaded.program.countless, fault);
      return new NodeConnections({ means, byDescriptors, pins, loaded });
    } catch (error) {
      // What an agent before pinned would go on by what was asked for then.
      removePins(pins);
      const means = meansWithoutProgram((error as Error).message, fault);
      return new NodeConnections({ means, byDescriptors, pins });
    }
  }

  /** Where its programs are pinned; undefined where there are none, or where connections cannot be counted by them. */
  get pins(): string | undefined {
    return this.means.countedBy === 'BPF' ? this.#loaded?.program.folder : undefined;
  }

  /** From now on new connections of these places have what is asked there, and those of no other. */
  async follow(followed: Followed): Promise<Following> {
    if (this.#loaded === undefined) return { served: [], againMs: undefined, refused: {} };
    const isAnew = await this.#loadIfGone(this.#loaded);
    const { orders, program } = this.#loaded;
    const { hasFollowed } = orders;
    const following = orders.follow(followed);
    // Only now does this build serve what the one before did: while a place is held, what that was told of it is its alone.
    if (!hasFollowed && orders.hasFollowed) attempt(() => program.removeOthers());
    return { ...following, isAnew };
  }

  /** Pins are files: somebody may have removed them. */
  async #loadIfGone({ program, load }: Loaded): Promise<boolean> {
    if (program.isWhole) return false;
    const loaded = await load();
    const { countless } = loaded.program;
    // Others rely on what was there at first: until all of it is to be had again, descriptors look after everything.
    if (countless !== undefined && this.means.countedBy === 'BPF') {
      loaded.program.close();
      throw new Error(`loaded anew, connections cannot be counted: ${countless}`);
    }
    this.#loaded = loaded;
    program.close();
    return true;
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
  remove(): void {
    this.#loaded?.program.close();
    removePins(this.#pins);
  }
}

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

function descriptorFault(isHost: boolean): string | undefined {
  if (!isHost) return 'no hostPID';
  return handsOverDescriptors() ? undefined : 'ENOSYS at pidfd_getfd';
}

/** As the host's first process has them mounted. */
function groupRootOf(procRoot: string): string | undefined {
  try {
    return unifiedRoot(readFileSync(join(procRoot, String(firstProcess), 'mountinfo'), 'utf8'));
  } catch {
    return undefined;
  }
}

function removePins({ pinFolder, groupFolder }: Pins): void {
  if (groupFolder !== undefined) attempt(() => ConnectionProgram.removeAll(pinFolder, groupFolder));
}

/** Throws where there is nothing to load, or nothing to attach it to. */
function loaderOf(
  { procRoot, objectFile, networkOf, open = openProgram }: NodeConnectionsOptions,
  { pinFolder, groupFolder }: Pins,
): () => Promise<Loaded> {
  if (objectFile === undefined) throw new Error(switchedOff);
  if (groupFolder === undefined) throw new Error('no control groups of version 2');
  const podFolders = new PodFolders(procRoot, groupFolder);
  const folders = podFolders.isUsable ? podFolders : undefined;
  const load = async (): Promise<Loaded> => {
    const program = await open({ procRoot, groupFolder, objectFile, pinFolder });
    return { program, orders: new KernelOrders({ program, networkOf, folders }), load };
  };
  return load;
}

/** Each reason for itself, in the order in which a person would mend it. */
async function openProgram(options: ConnectionProgramOptions): Promise<ConnectionProgram> {
  if (!existsSync(options.objectFile)) throw new Error('this build has no program for the kernel');
  if (!existsSync(typesFile)) throw new Error('no BTF');
  if (!isBpfFileSystem(join(options.pinFolder, '..'))) throw new Error('no BPF file system at /sys/fs/bpf');
  return ConnectionProgram.open(options);
}

function isBpfFileSystem(folder: string): boolean {
  try {
    return statfsSync(folder).type === bpfFileSystem;
  } catch {
    return false;
  }
}

/** Otherwise a number of the host's is another process's here, and no descriptor can be asked for. */
function countsAsHost(procRoot: string): boolean {
  try {
    const host = statSync(join(procRoot, String(firstProcess), 'ns/pid')).ino;
    return host === statSync('/proc/self/ns/pid').ino;
  } catch {
    return false;
  }
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Who may not do this has nothing there, and what is not ours is not removed.
  }
}
