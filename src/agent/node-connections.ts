import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { onlyTold } from '../kernel/connection-layout.ts';
import { ConnectionProgram } from '../kernel/connection-program.ts';
import { unifiedRoot } from '../kernel/control-group.ts';
import { firstProcess } from '../kernel/process.ts';
import type { ConnectionMeans } from '../policy/connection-means.ts';
import { workedOut } from '../policy/connection-order.ts';
import type { SocketReading, SocketTarget } from '../policy/connection.ts';
import type { Place } from '../policy/place.ts';
import type { Network } from './node-kernel.ts';
import { ToldTally } from './told-tally.ts';

export interface NodeConnectionsOptions {
  readonly procRoot: string;
  /** The compiled program for the kernel; undefined where it is not to be used. */
  readonly objectFile: string | undefined;
  /** The network namespace of a place, where it is known. */
  readonly networkOf: (place: Place) => Network | undefined;
}

/** A place whose new connections have their values from the kernel. */
export interface Served {
  readonly place: Place;
  readonly network: Network;
}

export interface Counted {
  readonly readings: readonly SocketReading[];
  /** Places of which a connection lacks what was ordered, since its program changed its mind. */
  readonly loosened: readonly Place[];
}

/** BPF_FS_MAGIC */
const bpfFileSystem = 0xcafe4a11;
const typesFile = '/sys/kernel/btf/vmlinux';
const switchedOff = 'switched off by CONNECTIONS';

/** The connections of a node as far as the kernel itself looks after them. All of it blocks, and none of it waits for a program. */
export class NodeConnections {
  readonly means: ConnectionMeans;
  readonly #program: ConnectionProgram | undefined;
  readonly #pinFolder: string;
  readonly #networkOf: NodeConnectionsOptions['networkOf'];
  /** What was ordered, by cookie. */
  readonly #orders = new Map<bigint, SocketTarget>();
  #hasFollowed = false;

  constructor({ procRoot, objectFile, networkOf }: NodeConnectionsOptions) {
    this.#networkOf = networkOf;
    const root = join(procRoot, String(firstProcess), 'root');
    this.#pinFolder = join(root, 'sys/fs/bpf/keepalive');
    const descriptors = countsAsHost(procRoot) ? 'Descriptors' : undefined;
    try {
      if (objectFile === undefined) throw new Error(switchedOff);
      this.#program = openProgram({ procRoot, root, objectFile, pinFolder: this.#pinFolder });
      const { countless } = this.#program;
      const countedBy = countless === undefined ? 'BPF' : (descriptors ?? 'Nobody');
      this.means = { by: 'BPF', countedBy, why: countless };
    } catch (error) {
      // What an agent before pinned would go on by what was asked for then.
      attempt(() => ConnectionProgram.removeAll(this.#pinFolder));
      const [by, countedBy] = [descriptors ?? 'ValuesOnly', descriptors ?? 'Nobody'] as const;
      this.means = { by, countedBy, why: (error as Error).message };
    }
  }

  /** Where its programs are pinned; undefined where there are none, or where connections cannot be counted by them. */
  get pins(): string | undefined {
    return this.means.countedBy === 'BPF' ? this.#program?.folder : undefined;
  }

  /** From now on new connections of these places have what is asked there, and those of no other. */
  follow(targets: readonly SocketTarget[]): Served[] {
    const program = this.#program;
    if (program === undefined) return [];
    const served = targets.flatMap((target) => {
      const network = this.#networkOf(target.place);
      return network !== undefined && this.#order(program, network.cookie, target)
        ? [{ place: target.place, network }]
        : [];
    });
    const wanted = new Set(served.map(({ network }) => network.cookie));
    for (const cookie of this.#hasFollowed ? this.#orders.keys() : program.ordered())
      if (!wanted.has(cookie)) this.#withdraw(program, cookie);
    // Only now does this build serve what the one before did.
    if (!this.#hasFollowed) program.removeOthers();
    this.#hasFollowed = true;
    return served;
  }

  /** How the connections of all places that are served stand; others may use the thread between two steps. */
  async count(): Promise<Counted> {
    const tally = new ToldTally(this.#orders);
    for (const told of this.#program?.read() ?? []) {
      tally.add(told);
      await setImmediate();
    }
    return tally.end();
  }

  /** Nothing of any agent's is left in the kernel. */
  remove(): void {
    this.#program?.close();
    attempt(() => ConnectionProgram.removeAll(this.#pinFolder));
  }

  /** False where there is no room for it. */
  #order(program: ConnectionProgram, cookie: bigint, target: SocketTarget): boolean {
    if (isDeepStrictEqual(this.#orders.get(cookie), target)) return true;
    const { wanted } = target;
    try {
      program.order(cookie, wanted === undefined ? onlyTold : workedOut(wanted));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'E2BIG') throw error;
      return false;
    }
    this.#orders.set(cookie, target);
    return true;
  }

  #withdraw(program: ConnectionProgram, cookie: bigint): void {
    program.withdraw(cookie);
    this.#orders.delete(cookie);
  }
}

interface Ground {
  readonly procRoot: string;
  /** Of the first process. */
  readonly root: string;
  readonly objectFile: string;
  readonly pinFolder: string;
}

/** Each reason for itself, in the order in which a person would mend it. */
function openProgram({ procRoot, root, objectFile, pinFolder }: Ground): ConnectionProgram {
  if (!existsSync(objectFile)) throw new Error('this build has no program for the kernel');
  if (!existsSync(typesFile)) throw new Error('no BTF');
  if (!isBpfFileSystem(join(pinFolder, '..'))) throw new Error('no BPF file system at /sys/fs/bpf');
  const mounts = readFileSync(join(procRoot, String(firstProcess), 'mountinfo'), 'utf8');
  const groups = unifiedRoot(mounts);
  if (groups === undefined) throw new Error('no control groups of version 2');
  return ConnectionProgram.open({ objectFile, pinFolder, groupFolder: join(root, groups) });
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
    // Who may not do this has nothing there.
  }
}
