import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { cacheRoot } from './place.ts';

/** A place in the cache for something made from these inputs: another input is another place. */
export function placeFor(kind: string, name: string, inputs: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  // The length keeps ('a', 'bc') apart from ('ab', 'c').
  for (const input of inputs) hash.update(`${input.length}:`).update(input);
  return join(cacheRoot(), kind, `${name}-${hash.digest('hex').slice(0, 12)}`);
}

/**
 * Fills a place by `make`, which is given an empty folder: whole or not at all, so that an interrupted build
 * leaves nothing that would be taken for a result. A second process waits for the first.
 */
export async function fill(place: string, make: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(place), { recursive: true });
  const release = await lock(`${place}.lock`);
  try {
    if (existsSync(place)) return;
    clearHalfMade(place);
    const folder = mkdtempSync(`${place}.new-`);
    try {
      await make(folder);
      renameSync(folder, place);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } finally {
    await release();
  }
}

/** One at a time on this machine, whichever clone it is that builds. */
export async function alone<T>(what: string, act: () => Promise<T>): Promise<T> {
  mkdirSync(cacheRoot(), { recursive: true });
  const release = await lock(join(cacheRoot(), `${what}.lock`));
  try {
    return await act();
  } finally {
    await release();
  }
}

/** What a build left that was killed; nobody else builds here while the lock is held. */
function clearHalfMade(place: string): void {
  const prefix = `${basename(place)}.new-`;
  for (const name of readdirSync(dirname(place)).filter((one) => one.startsWith(prefix)))
    rmSync(join(dirname(place), name), { recursive: true, force: true });
}

/** The kernel's lock, held by a `cat` that ends with this process, however that ends. */
async function lock(file: string): Promise<() => Promise<void>> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'exit');
  const first = await Promise.race([
    once(holder.stdout, 'data').then(() => 'held'),
    ended.then(() => 'ended'),
  ]);
  if (first === 'ended') throw new Error(`cannot lock ${file}: flock (package util-linux) ended early`);
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
