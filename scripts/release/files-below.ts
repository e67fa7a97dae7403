import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Paths, below a folder, of all files in it and in its folders; links are none. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => relative(folder, join(one.parentPath, one.name)));
}
