import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

import type { Terminal } from './terminal.ts';
import { CommandError } from './terminal.ts';

/** One text with manifests in it. */
export interface Source {
  /** As a person finds it: below the working directory where it is there; `<stdin>`. */
  readonly name: string;
  readonly text: string;
  /** Found in a folder that was named, and not named itself: it need not have to do with us. */
  readonly found: boolean;
}

export const stdinName = '<stdin>';
const manifestName = /\.(ya?ml|json)$/;
/** Folders in which nobody keeps manifests, and which are large. */
const passedOver = /^(\.|node_modules$)/;

/** Texts of files, of folders with all below them, and of standard input (`-`), each once, in order. */
export async function readSources(paths: readonly string[], terminal: Terminal): Promise<Source[]> {
  const sources = new Map<string, Source>();
  for (const path of paths) {
    for (const source of path === '-' ? [await fromStdin(terminal)] : fromDisk(path, terminal.cwd))
      if (!sources.has(source.name)) sources.set(source.name, source);
  }
  return [...sources.values()];
}

async function fromStdin(terminal: Terminal): Promise<Source> {
  if (terminal.stdinIsTerminal) {
    throw new CommandError(
      'there is nothing on standard input: pipe manifests into it (`kubectl kustomize . | keepalive …`), or name them with -f',
    );
  }
  return { name: stdinName, text: await terminal.readStdin(), found: false };
}

function fromDisk(path: string, cwd: string): Source[] {
  const full = resolve(cwd, path);
  const isFolder = statSync(full, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === undefined) throw new CommandError(`${path}: there is no such file or folder`);
  const sourceOf = (file: string, found: boolean): Source => {
    const below = relative(cwd, file);
    return { name: below.startsWith('..') ? file : below, text: read(file), found };
  };
  if (!isFolder) return [sourceOf(full, false)];
  return [...manifestsBelow(full)].map((file) => sourceOf(file, true));
}

function* manifestsBelow(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !passedOver.test(entry.name)) yield* manifestsBelow(path);
    if (entry.isFile() && manifestName.test(entry.name)) yield path;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`${path}: it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
