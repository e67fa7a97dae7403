import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { runOrThrow } from './command.ts';
import { fetchModule, goEnvironment, modules } from './go.ts';
import { versionIn } from './version.ts';

interface Wanted {
  /** The one of ours that is made for it. */
  readonly ours: string;
  /** By its path. */
  readonly module: string;
  /** Where a copy of ours is put; the other one is beneath it. */
  readonly into: string;
  readonly signal?: AbortSignal | undefined;
}

/** Somebody's Go module, to be changed before it is built in a copy of one of ours, which takes it instead. Gives back where it is. */
export async function moduleToChange({ ours, module, into, signal }: Wanted): Promise<string> {
  cpSync(join(modules, ours), into, { recursive: true });
  const version = versionIn(readFileSync(join(into, 'go.mod'), 'utf8'), module);
  const { Dir } = await fetchModule(module, version, signal);
  const copy = join(into, 'changed');
  // Go's cache is read only, and so is what is copied from it by its modes.
  await runOrThrow(['cp', '-r', '--no-preserve=mode', Dir, copy]);
  await runOrThrow(['go', 'mod', 'edit', `-replace=${module}=./changed`], {
    cwd: into,
    env: goEnvironment(),
  });
  return copy;
}
