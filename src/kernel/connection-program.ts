import { createHash } from 'node:crypto';
import { readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

import type { Order, ToldConnection, Unmarked } from './connection-layout.ts';
import { orderAsBytes, ownerBytes, readUnmarked, timeBytes, toldIn } from './connection-layout.ts';
import type { LoadRequest } from './connection-loader.ts';
import { loadApart } from './connection-loader.ts';
import type { Extent, Loaded } from './connection-pins.ts';
import {
  attempt,
  baseName,
  extents,
  folderOf,
  groupAt,
  isAtGroup,
  isWhole,
  namesIn,
  removeAll,
  removeFolder,
} from './connection-pins.ts';
import { eachOnce } from './each-once.ts';
import { createIterator, keysOf, openPinned, valueOf } from './libbpf.ts';
import { NumberSet } from './number-set.ts';
import { OrderMaps } from './order-maps.ts';
import { close, ticksPerSecond } from './syscall.ts';

export interface ConnectionProgramOptions {
  /** Where the host's proc is mounted. */
  readonly procRoot: string;
  /** The compiled keepalive.bpf.c. */
  readonly objectFile: string;
  /** Where control groups of version 2 begin: what is in them is covered, which is every process of the machine. */
  readonly groupFolder: string;
  /** A folder of ours in a file system of type bpf, which takes no dots in names. What is pinned there stays when this process ends. */
  readonly pinFolder: string;
}

/** A seq_file of a BPF iterator gives no more than its own buffer of 8 pages at a time, which is 32 KiB, or 512 KiB where a page is 64. */
const readBytes = 1 << 16;

/**
 * What keeps connections alive inside the kernel: keepalive.bpf.c, loaded, attached, and pinned, so that it goes on while
 * no agent runs, and the next one finds it. Each build of it has pins of its own for each control group: two agents of different
 * versions do each other no harm, nor do those of two nodes that see one BPF file system, and {@link removeOthers} ends those
 * of the one before here.
 */
export class ConnectionProgram {
  /** Why {@link read} cannot be had; undefined where it can. */
  readonly countless: string | undefined;
  readonly #folder: string;
  readonly #pinFolder: string;
  readonly #groupFolder: string;
  readonly #group: bigint;
  readonly #maps: OrderMaps;
  readonly #extent: Extent;
  readonly #hertz = ticksPerSecond();
  #met: NumberSet | undefined;

  private constructor(
    { pinFolder, groupFolder, group }: ConnectionProgramOptions & { readonly group: bigint },
    { folder, countless, extent }: Loaded,
  ) {
    this.#pinFolder = pinFolder;
    this.#groupFolder = groupFolder;
    this.#group = group;
    this.#folder = folder;
    this.#extent = extent;
    this.countless = countless;
    this.#maps = new OrderMaps(folder);
  }

  /**
   * Takes over what an earlier process of the same build pinned, or loads it. Rejects where this machine cannot have it: with
   * the code of the error, and which step failed.
   */
  static async open(options: ConnectionProgramOptions): Promise<ConnectionProgram> {
    const object = readFileSync(options.objectFile);
    const build = createHash('sha256').update(object).digest('hex').slice(0, 16);
    const group = groupAt(options.groupFolder);
    const base = join(options.pinFolder, baseName(build, group));
    try {
      return new ConnectionProgram({ ...options, group }, await load({ ...options, base }, group));
    } catch (error) {
      if (namesIn(options.pinFolder).length === 0) ConnectionProgram.removeAll(options.pinFolder);
      throw error;
    }
  }

  /** Takes away whatever any agent left in the kernel: what acts in that control group, or in all where none is told. */
  static removeAll(pinFolder: string, groupFolder?: string): void {
    removeAll(pinFolder, groupFolder === undefined ? undefined : groupAt(groupFolder));
  }

  /** What builds before were told in that control group; each to be closed. */
  static pinnedBefore(pinFolder: string, groupFolder: string): OrderMaps[] {
    const group = groupAt(groupFolder);
    const folders = namesIn(pinFolder).map((name) => join(pinFolder, name));
    return folders.filter((one) => isAtGroup(one, group)).flatMap((one) => OrderMaps.ofAny(one) ?? []);
  }

  /** Where all of it is pinned. */
  get folder(): string {
    return this.#folder;
  }

  /** Whether {@link sweep} can be had by what is pinned there. */
  get sweeps(): boolean {
    return this.#extent.iterators.includes('open');
  }

  /** Otherwise somebody took away what keeps it in the kernel, and it acts no more: {@link open} loads it anew. */
  get isWhole(): boolean {
    const isSameGroup = attempt(() => groupAt(this.#groupFolder)) === this.#group;
    return isSameGroup && isWhole(this.#folder, this.#extent, this.#group);
  }

  /**
   * From now on for every new connection of that network namespace; where it asks groups, of those that are in no group that
   * anything is ordered for. E2BIG where there are too many of them.
   */
  order(cookie: bigint, order: Order, { asksGroups = false } = {}): void {
    this.#maps.order(cookie, this.#asBytes(cookie, order, asksGroups));
  }

  /** The same for what is in or below a folder of control groups v2, by its inode number, in networks that ask groups. */
  orderGroup(inode: bigint, order: Order): void {
    this.#maps.orderGroup(inode, this.#asBytes(inode, order));
  }

  /** New connections are left alone; those that are open keep what they have. */
  withdraw(cookie: bigint): void {
    this.#maps.withdraw(cookie);
  }

  withdrawGroup(inode: bigint): void {
    this.#maps.withdrawGroup(inode);
  }

  /** Network namespaces that anything was ordered for, by earlier agents too. */
  ordered(): bigint[] {
    return this.#maps.ordered();
  }

  orderedGroups(): bigint[] {
    return this.#maps.orderedGroups();
  }

  /** Every connection that was met and marked, of all network namespaces, in steps of a hundred; it waits for no lock. */
  *read(): Generator<ToldConnection[], void> {
    const met = this.#met ?? new NumberSet();
    // Another reading may begin before this one ends.
    this.#met = undefined;
    try {
      yield* eachOnce(() => this.#readAll(), { met });
    } finally {
      met.clear();
      this.#met = met;
    }
  }

  *#readAll(): Generator<ToldConnection[], void> {
    const link = openPinned(join(this.#folder, 'known'));
    try {
      yield* toldIn(chunksOf(createIterator(link)), ticksPerSecond());
    } finally {
      close(link);
    }
  }

  /** Of whom {@link read} does not tell all. */
  unmarked(): Unmarked[] {
    const map = openPinned(join(this.#folder, 'unmarked'));
    try {
      return keysOf(map, ownerBytes).flatMap((owner) => {
        const time = valueOf(map, owner, timeBytes);
        return time === undefined ? [] : [readUnmarked(owner, time)];
      });
    } finally {
      close(map);
    }
  }

  /** What other builds were told, which act until {@link removeOthers}; each to be closed. */
  others(): OrderMaps[] {
    return this.#otherFolders().flatMap((folder) => OrderMaps.ofAny(folder) ?? []);
  }

  /** Pins of other builds at this control group, whose agents have ended. */
  removeOthers(): void {
    for (const folder of this.#otherFolders()) removeFolder(folder);
  }

  #otherFolders(): string[] {
    const all = namesIn(this.#pinFolder).map((name) => join(this.#pinFolder, name));
    return all.filter((folder) => folder !== this.#folder && isAtGroup(folder, this.#group));
  }

  close(): void {
    this.#maps.close();
  }

  #asBytes(key: bigint, order: Order, asksGroups = false): Buffer {
    return orderAsBytes(order, { key, hertz: this.#hertz, asksGroups, tells: this.countless === undefined });
  }
}

/**
 * Gives the open connections of the network namespace that the calling thread is in what was ordered, and tells each, in
 * steps. Only the call itself needs to be made there. Each step waits for the locks of sockets, which a program can hold for ever.
 */
export function sweep(folder: string): Generator<ToldConnection[], void> {
  const link = openPinned(join(folder, 'open'));
  try {
    return toldIn(chunksOf(createIterator(link)), ticksPerSecond());
  } finally {
    close(link);
  }
}

function* chunksOf(fd: number): Generator<Buffer, void> {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  try {
    for (;;) {
      const length = readSync(fd, buffer, 0, buffer.length, null);
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    // Node did not open it, and in a thread it would say so.
    close(fd);
  }
}

/** As much as the kernel takes, as an earlier agent left it or loaded anew. */
async function load(request: LoadRequest, group: bigint): Promise<Loaded> {
  const [all] = extents;
  const folder = folderOf(request.base, all);
  return isWhole(folder, all, group) ? { folder, extent: all } : loadApart(request);
}
