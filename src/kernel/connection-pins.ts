/** What is pinned of the program that keeps connections alive, and how it is taken away. */
import { existsSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import { detachLink, openPinned } from './libbpf.ts';
import { close } from './syscall.ts';

export const maps = ['networks', 'groups', 'marks'] as const;
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

/** What is loaded for less has pins of its own. `base`: of one build. */
export function folderOf(base: string, { suffix }: Extent): string {
  return `${base}${suffix}`;
}

export function isWhole(folder: string, { iterators }: Extent): boolean {
  return [...maps, ...iterators, 'born'].every((pin) => existsSync(join(folder, pin)));
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
  attempt(() => detachLink(link));
  close(link);
}

/** Where it cannot be detached, it goes in the kernel's own time. */
function attempt<T>(action: () => T): T | undefined {
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
