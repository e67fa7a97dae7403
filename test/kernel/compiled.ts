import { join } from 'node:path';

import { runOrThrow } from '../cluster/command.ts';

/** A program in C of this folder, compiled into another. */
export async function compiled(name: string, folder: string): Promise<string> {
  const program = join(folder, name);
  const source = join(import.meta.dirname, `${name}.c`);
  await runOrThrow(['gcc', '-O1', '-Wall', '-Werror', '-pthread', '-o', program, source]);
  return program;
}
