import { join } from 'node:path';

import { runOrThrow } from '../cluster/command.ts';

/** A program in C of this folder, compiled into another; `-static` runs where there is no C library. */
export async function compiled(
  name: string,
  folder: string,
  ...flags: readonly '-static'[]
): Promise<string> {
  const program = join(folder, name);
  const source = join(import.meta.dirname, `${name}.c`);
  await runOrThrow(['gcc', '-O1', '-Wall', '-Werror', '-pthread', ...flags, '-o', program, source]);
  return program;
}
