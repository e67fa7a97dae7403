import { basename, join } from 'node:path';

import { runOrThrow } from '../cluster/command.ts';

/** A program in C, by its path from this folder without `.c`, compiled into another; `-static` runs where there is no C library. */
export async function compiled(
  name: string,
  folder: string,
  ...flags: readonly '-static'[]
): Promise<string> {
  const program = join(folder, basename(name));
  const source = join(import.meta.dirname, `${name}.c`);
  await runOrThrow(['gcc', '-O1', '-Wall', '-Werror', '-pthread', ...flags, '-o', program, source]);
  return program;
}
