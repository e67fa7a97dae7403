import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';

import type { Order, ToldConnection } from './connection-layout.ts';
import { orderAsBytes, readTold, toldBytes } from './connection-layout.ts';
import { withExcluding } from './group-programs.ts';
import { BpfObject, createIterator, openPinned } from './libbpf.ts';
import { OrderMaps } from './order-maps.ts';
import { close, ticksPerSecond } from './syscall.ts';

export interface ConnectionProgramOptions {
  /** The compiled keepalive.bpf.c. */
  readonly objectFile: string;
  /** Where control groups of version 2 begin: what is in them is covered, which is every process of the machine. */
  readonly groupFolder: string;
  /** A folder of ours in a file system of type bpf, which takes no dots in names. What is pinned there stays when this process ends. */
  readonly pinFolder: string;
}

const maps = ['networks', 'groups', 'marks'] as const;
type Iterator = 'open' | 'known';
type Pin = (typeof maps)[number] | Iterator | 'born';
/** The map that an iterator goes through, where it is one. */
const overMap = new Map<Iterator, string | undefined>([
  ['open', undefined],
  ['known', 'marks'],
]);

/** Some kernels refuse iterators over the elements of maps. */
const counting = 'known';

/** A seq_file of a BPF iterator gives no more than its own buffer of 8 pages at a time. */
const readBytes = 1 << 16;

/**
 * What keeps connections alive inside the kernel: keepalive.bpf.c, loaded, attached, and pinned, so that it goes on while
 * no agent runs, and the next one finds it. Each build of it has pins of its own: two agents of different versions do
 * each other no harm, and {@link removeOthers} ends those of the one before.
 */
export class ConnectionProgram {
  /** Why {@link read} cannot be had; undefined where it can. */
  readonly countless: string | undefined;
  readonly #folder: string;
  readonly #pinFolder: string;
  readonly #maps: OrderMaps;
  readonly #extent: Extent;
  readonly #hertz = ticksPerSecond();

  private constructor(pinFolder: string, { folder, countless, extent }: Loaded) {
    this.#pinFolder = pinFolder;
    this.#folder = folder;
    this.#extent = extent;
    this.countless = countless;
    this.#maps = new OrderMaps(folder);
  }

  /**
   * Takes over what an earlier process of the same build pinned, or loads it. Throws where this machine cannot have it: the
   * code of the error, and which step failed.
   */
  static open(options: ConnectionProgramOptions): ConnectionProgram {
    const object = readFileSync(options.objectFile);
    const build = createHash('sha256').update(object).digest('hex').slice(0, 16);
    try {
      return new ConnectionProgram(options.pinFolder, load(object, build, options));
    } catch (error) {
      if (namesIn(options.pinFolder).length === 0) ConnectionProgram.removeAll(options.pinFolder);
      throw error;
    }
  }

  /** Takes away whatever any agent left in the kernel. */
  static removeAll(pinFolder: string): void {
    for (const name of namesIn(pinFolder)) removeFolder(join(pinFolder, name));
    if (existsSync(pinFolder)) rmdirSync(pinFolder);
  }

  /** Where all of it is pinned. */
  get folder(): string {
    return this.#folder;
  }

  /** Otherwise somebody took away what keeps it in the kernel, and it acts no more: {@link open} loads it anew. */
  get isWhole(): boolean {
    return isWhole(this.#folder, this.#extent);
  }

  /**
   * From now on for every new connection of that network namespace; where it asks groups, of those that are in no group that
   * anything is ordered for. E2BIG where there are too many of them.
   */
  order(cookie: bigint, order: Order, { asksGroups = false } = {}): void {
    this.#maps.order(cookie, this.#asBytes(order, asksGroups));
  }

  /** The same for what is in or below a folder of control groups v2, by its inode number, in networks that ask groups. */
  orderGroup(inode: bigint, order: Order): void {
    this.#maps.orderGroup(inode, this.#asBytes(order));
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

  /** Every connection that was met, of all network namespaces, in steps of about a thousand; it waits for no lock. */
  *read(): Generator<ToldConnection[], void> {
    const link = openPinned(join(this.#folder, 'known'));
    try {
      yield* readAll(createIterator(link));
    } finally {
      close(link);
    }
  }

  /** What other builds were told, which act until {@link removeOthers}; each to be closed. */
  others(): OrderMaps[] {
    return this.#otherFolders().flatMap((folder) => OrderMaps.ofAny(folder) ?? []);
  }

  /** Pins of other builds, whose agents have ended. */
  removeOthers(): void {
    for (const folder of this.#otherFolders()) removeFolder(folder);
  }

  #otherFolders(): string[] {
    const all = namesIn(this.#pinFolder).map((name) => join(this.#pinFolder, name));
    return all.filter((folder) => folder !== this.#folder);
  }

  close(): void {
    this.#maps.close();
  }

  #asBytes(order: Order, asksGroups = false): Buffer {
    return orderAsBytes(order, { hertz: this.#hertz, asksGroups, tells: this.countless === undefined });
  }
}

/**
 * Gives the open connections of the network namespace that the calling thread is in what was ordered, and tells each, in
 * steps. Only the call itself needs to be made there. Each step waits for the locks of sockets, which a program can hold for ever.
 */
export function sweep(folder: string): Generator<ToldConnection[], void> {
  const link = openPinned(join(folder, 'open'));
  try {
    return readAll(createIterator(link));
  } finally {
    close(link);
  }
}

function* readAll(fd: number): Generator<ToldConnection[], void> {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  const hertz = ticksPerSecond();
  try {
    for (;;) {
      const length = readSync(fd, buffer, 0, buffer.length, null);
      if (length === 0) return;
      const told: ToldConnection[] = [];
      for (let at = 0; at < length; at += toldBytes) told.push(readTold(buffer, at, hertz));
      yield told;
    }
  } finally {
    // Node did not open it, and in a thread it would say so.
    close(fd);
  }
}

interface Loaded {
  readonly folder: string;
  readonly countless: string | undefined;
  readonly extent: Extent;
}

interface Extent {
  /** Of its folder's name. */
  readonly suffix: string;
  readonly iterators: readonly Iterator[];
}

const onlyNew: Extent = { suffix: '-new', iterators: [] };
/** The most first: there are kernels that refuse counting, and older ones that refuse sweeping too. */
const extents: readonly Extent[] = [
  { suffix: '', iterators: ['open', counting] },
  { suffix: '-open', iterators: ['open'] },
  onlyNew,
];

/**
 * As much as the kernel takes. What is loaded for less has pins of its own, and is left only when
 * more was had: so what was refused for a passing reason is tried by the next agent again. If even the least is refused, that
 * is the reason.
 */
function load(
  file: Buffer,
  build: string,
  options: ConnectionProgramOptions,
  [extent = onlyNew, ...smaller] = extents,
): Loaded {
  const { suffix, iterators } = extent;
  const folder = join(options.pinFolder, `${build}${suffix}`);
  try {
    if (!isWhole(folder, extent)) attempt(file, folder, { groupFolder: options.groupFolder, iterators });
    return { folder, countless: undefined, extent };
  } catch (error) {
    if (extent === onlyNew) throw error;
    return { ...load(file, build, options, smaller), countless: (error as Error).message };
  }
}

function attempt(
  file: Buffer,
  folder: string,
  { groupFolder, iterators }: { groupFolder: string; iterators: readonly Iterator[] },
): void {
  removeFolder(folder);
  const object = new BpfObject(file);
  const at = (pin: Pin) => join(folder, pin);
  try {
    for (const name of overMap.keys()) if (!iterators.includes(name)) object.leaveOut(name);
    object.load();
    mkdirSync(folder, { recursive: true });
    for (const map of maps) object.pinMap(map, at(map));
    for (const name of iterators) object.pinIterator(name, at(name), overMap.get(name));
    const group = openSync(groupFolder, 'r');
    try {
      // Last: what is whole is attached, and what was interrupted before is done anew.
      object.pinToGroup('born', group, at('born'));
    } catch (error) {
      throw withExcluding(error as NodeJS.ErrnoException, group);
    } finally {
      closeSync(group);
    }
  } catch (error) {
    removeFolder(folder);
    throw error;
  } finally {
    object.close();
  }
}

function isWhole(folder: string, { iterators }: Extent): boolean {
  return [...maps, ...iterators, 'born'].every((pin) => existsSync(join(folder, pin)));
}

function namesIn(pinFolder: string): string[] {
  return existsSync(pinFolder) ? readdirSync(pinFolder) : [];
}

/** The program first, so that none acts by half of its maps. Somebody else may be removing them as well. */
function removeFolder(folder: string): void {
  const pins = namesIn(folder).sort((a, b) => Number(b === 'born') - Number(a === 'born'));
  for (const pin of pins) ifThere(() => unlinkSync(join(folder, pin)));
  ifThere(() => rmdirSync(folder));
}

function ifThere(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
