/** What is pinned of the program that keeps connections alive, and how it is taken away. */
import { existsSync, readdirSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

import { detachLink, groupOfLink, openPinned } from './libbpf.ts';
import { close } from './syscall.ts';

export const maps = ['networks', 'groups', 'marks', 'unmarked'] as const;
export type Iterator = 'open' | 'known';
export type Pin = (typeof maps)[number] | Iterator | 'born';

/** Some kernels refuse iterators over the elements of maps. */
export const counting = 'known';

/** The map that an iterator goes through, where it is one. */
export const overMap = new Map<Iterator, string | undefined>([
  ['open', undefined],
  ['known', 'marks'],
]);

/** How much of the program a kernel takes. */
export interface Extent {
  /** Of its folder's name. */
  readonly suffix: string;
  readonly iterators: readonly Iterator[];
}

/** The most first: there are kernels that refuse counting, and older ones that refuse sweeping too. */
export const extents = [
  { suffix: '', iterators: ['open', counting] },
  { suffix: '-open', iterators: ['open'] },
  { suffix: '-new', iterators: [] },
] as const satisfies readonly Extent[];

export interface Loaded {
  readonly folder: string;
  readonly extent: Extent;
  /** Why connections are not counted by it; undefined where they are. */
  readonly countless?: string | undefined;
}

/** By its inode number, which the kernel tells of links as well. Throws where it is not there. */
export function groupAt(groupFolder: string): bigint {
  return statSync(groupFolder, { bigint: true }).ino;
}

/** Of one build at one control group: nodes that are containers of one machine may see each other's pins. */
export function baseName(build: string, group: bigint): string {
  return `${build}-${group}`;
}

const named = /^[0-9a-f]+-(\d+)(?:-[a-z]+)?$/;

/**
 * Whether a folder of pins is that of a control group, or of one that is no more: all else is another node's. Of one that is named for
 * another group the kernel has to say so, since its node may be about to pin the program. Builds that named no group in it are known by
 * what their link is attached to, and left alone where that cannot be told.
 */
export function isAtGroup(folder: string, group: bigint): boolean {
  const [, inode] = named.exec(basename(folder)) ?? [];
  if (inode === String(group)) return true;
  const born = join(folder, 'born');
  if (!existsSync(born)) return inode === undefined;
  const acts = attempt(() => groupOfLink(born));
  return acts === nowhere || (inode === undefined && acts === group);
}

const nowhere = 0n;

/** What is loaded for less has pins of its own. `base`: of one build, at one control group. */
export function folderOf(base: string, { suffix }: Extent): string {
  return `${base}${suffix}`;
}

/** What is attached elsewhere, or to a group that was removed and made anew, does nothing here. */
export function isWhole(folder: string, { iterators }: Extent, group: bigint): boolean {
  const isThere = [...maps, ...iterators, 'born'].every((pin) => existsSync(join(folder, pin)));
  return isThere && attempt(() => groupOfLink(join(folder, 'born'))) === group;
}

/** Of that control group; of whichever where none is told. Where another node's stay, so does the folder. */
export function removeAll(pinFolder: string, group?: bigint): void {
  const folders = namesIn(pinFolder).map((name) => join(pinFolder, name));
  for (const folder of folders) if (group === undefined || isAtGroup(folder, group)) removeFolder(folder);
  if (namesIn(pinFolder).length === 0) ifThere(() => rmdirSync(pinFolder));
}

export function namesIn(pinFolder: string): string[] {
  return existsSync(pinFolder) ? readdirSync(pinFolder) : [];
}

/** The program first, so that none acts by half of its maps. Somebody else may be removing them as well. */
export function removeFolder(folder: string): void {
  if (existsSync(join(folder, 'born'))) removeProgram(join(folder, 'born'));
  for (const pin of namesIn(folder)) ifThere(() => unlinkSync(join(folder, pin)));
  ifThere(() => rmdirSync(folder));
}

/**
 * A kernel lets go of what was pinned a moment after its file has gone (bpf_free_inode in kernel/bpf/inode.c comes after a grace period of RCU): what
 * is detached acts no more at once. The file goes first: it must never lead to a link that is attached to nothing, since whoever comes next
 * takes that for the program.
 */
function removeProgram(path: string): void {
  const link = attempt(() => openPinned(path));
  ifThere(() => unlinkSync(path));
  if (link === undefined) return;
  // Where it cannot be detached, it goes in the kernel's own time.
  attempt(() => detachLink(link));
  close(link);
}

/** Not the kernel's word: the next try may end better. */
export class DisturbedError extends Error {
  readonly code = 'EAGAIN';
  readonly syscall: string | undefined;

  constructor(cause: NodeJS.ErrnoException) {
    super(`somebody else makes or removes pins at the same time: ${cause.message}`, { cause });
    this.syscall = cause.syscall;
  }
}

const tries = 3;

/** What fails because somebody else makes pins of these names, or removes them, is done again. */
export function undisturbed(action: () => void): void {
  for (let left = tries - 1; ; left -= 1) {
    try {
      return action();
    } catch (error) {
      if (!isAboutPins(error as NodeJS.ErrnoException)) throw error;
      if (left === 0) throw new DisturbedError(error as NodeJS.ErrnoException);
    }
  }
}

function isAboutPins({ code, syscall = '' }: NodeJS.ErrnoException): boolean {
  return (code === 'EEXIST' || code === 'ENOENT') && syscall.startsWith('pin ');
}

/** Undefined where it cannot be done. */
export function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function ifThere(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
