import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

import product from '../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '..');

/** What is made in folders that somebody may name, and by what a folder shows that it was made by an earlier run. */
const marks = {
  release: (folder: string) =>
    ['SHA256SUMS', 'image/oci-layout'].every((file) => existsSync(join(folder, file))),
  // A clone of this repository has the name too.
  package: (folder: string) =>
    existsSync(join(folder, 'keepalive.mjs')) && nameIn(join(folder, 'package.json')) === product.name,
} satisfies Record<string, (folder: string) => boolean>;

export type Made = keyof typeof marks;

/** Parts of dist/ that are no part of the product. */
export const besideProduct = Object.keys(marks);

/** Empties dist/ for the next build, and leaves what was made there besides. */
export function emptyProduct(dist: string): void {
  const there = existsSync(dist) ? readdirSync(dist) : [];
  for (const name of there.filter((one) => !besideProduct.includes(one)))
    rmSync(join(dist, name), { recursive: true });
}

/**
 * Lets everybody read the product in dist/. A Dockerfile copies modes, and an image runs under a user of its own, which may read
 * nothing that was made under a strict umask, or came from packages that were installed under one.
 */
export function letAllRead(dist: string): void {
  chmodSync(dist, 0o755);
  for (const name of readdirSync(dist).filter((one) => !besideProduct.includes(one)))
    letRead(join(dist, name));
}

function letRead(path: string): void {
  const isFolder = statSync(path).isDirectory();
  chmodSync(path, isFolder ? 0o755 : 0o644);
  if (isFolder) for (const name of readdirSync(path)) letRead(join(path, name));
}

/** Throws where what stands in an absolute folder is not ours to delete, or where what is made would become a part of the image. */
export function holdOwn(folder: string, made: Made): void {
  const dist = join(root, 'dist');
  const usual = join(dist, made);
  if (folder === usual) return;
  if (isWithin(root, folder)) throw new Error(`${folder} has this repository in it: name a folder beside it`);
  if (isWithin(folder, dist))
    throw new Error(`${folder} is in dist/, which is the product's: name ${usual} or a folder elsewhere`);
  if (!existsSync(folder) || readdirSync(folder).length === 0 || marks[made](folder)) return;
  throw new Error(
    `${folder} has files in it that were not made here, and would be emptied: name another folder`,
  );
}

/** Leaves an empty folder where `holdOwn` finds nothing of anybody else. */
export function emptyOwn(folder: string, made: Made): void {
  holdOwn(folder, made);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../');
}

function nameIn(file: string): unknown {
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name;
}
