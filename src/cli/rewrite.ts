import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Gives a file another text, and keeps its mode, its owner and the links that lead to it. Whatever fails, it has the old text or the
 * new one, whole: a disk that is full would leave neither where it is written over.
 */
export function rewrite(path: string, text: string): void {
  const target = realpathSync.native(path);
  // What may not be written may not be replaced either, though its folder would let us.
  const file = openSync(target, 'r+');
  try {
    if (!replaced(target, file, text)) writeOver(file, Buffer.from(text));
  } finally {
    closeSync(file);
  }
}

/** False where a file of the same kind cannot be put into its place. */
function replaced(target: string, file: number, text: string): boolean {
  // A name among several would leave the others behind with the old text.
  if (fstatSync(file).nlink > 1) return false;
  // No name of a manifest: who reads the folder meanwhile passes it over.
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  const made = ifAllowed(() => openSync(beside, 'wx', 0o600));
  if (made === undefined) return false;
  let isInPlace = false;
  try {
    if (!takesAfter(made, file)) return false;
    writeFileSync(made, text);
    fsyncSync(made);
    isInPlace =
      ifAllowed(() => {
        renameSync(beside, target);
        return true;
      }) === true;
    return isInPlace;
  } finally {
    closeSync(made);
    if (!isInPlace) rmSync(beside, { force: true });
  }
}

/** The owner first: to change it takes bits of the mode away. */
function takesAfter(made: number, file: number): boolean {
  const [{ uid, gid }, like] = [fstatSync(made), fstatSync(file)];
  return (
    ifAllowed(() => {
      if (uid !== like.uid || gid !== like.gid) fchownSync(made, like.uid, like.gid);
      fchmodSync(made, like.mode & 0o7777);
      return true;
    }) === true
  );
}

/** A folder that takes no new file, an owner who is somebody else, a file that is mounted by itself. */
const refusals = ['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV'];

function ifAllowed<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (refusals.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Shortened only at the end: the old text has its room on the disk until then, and can be put back. */
function writeOver(file: number, bytes: Buffer): void {
  const before = readFileSync(file);
  try {
    writeAll(file, bytes);
    ftruncateSync(file, bytes.length);
    fsyncSync(file);
  } catch (error) {
    writeAll(file, before);
    ftruncateSync(file, before.length);
    throw error;
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at, at);
}
