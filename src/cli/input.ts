import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';

import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';
import { CommandError } from './terminal.ts';

/** One text with manifests in it. */
export interface Source {
  /** As a person finds it: below the working directory where it is there; `<stdin>`. */
  readonly name: string;
  readonly text: string;
  /** Found in a folder that was named, and not named itself: it need not have to do with us. */
  readonly found: boolean;
  /** The first that is not UTF-8, counted from one: written out again, its bytes would be others. */
  readonly brokenLine?: number;
  /** Read as it is meant, without the mark of its byte order: written out again, it would be UTF-8. */
  readonly isUtf16?: true;
}

export const stdinName = '<stdin>';
const manifestName = /\.(ya?ml|json)$/;
/** Folders in which nobody keeps manifests, and which are large. */
const passedOver = /^(\.|node_modules$)/;

/**
 * Texts of files, of folders with all below them, and of standard input (`-`), in order: for each list of paths those that no list
 * before it has. A file is read once, whichever names lead to it, and has that one of them that is no symbolic link.
 */
export async function readSources(
  lists: readonly (readonly string[])[],
  terminal: Terminal,
): Promise<Source[][]> {
  const read = new Map<string, Source>();
  const result: string[][] = [];
  for (const paths of lists) {
    const before = new Set(read.keys());
    for (const place of paths.flatMap((path) => placesOf(path, terminal.cwd))) {
      const source = read.get(place.identity) ?? (await sourceAt(place, terminal));
      // No patch goes through a link.
      const isFile = resolve(terminal.cwd, place.name) === place.identity;
      const named = isFile ? { ...source, name: place.name } : source;
      read.set(place.identity, place.found ? named : { ...named, found: false });
    }
    result.push([...read.keys()].filter((identity) => !before.has(identity)));
  }
  return result.map((identities) => identities.flatMap((identity) => read.get(identity) ?? []));
}

/** Where a text is: whatever names it has, it has one identity. */
interface TextPlace extends Pick<Source, 'name' | 'found'> {
  readonly identity: string;
}

function placesOf(path: string, cwd: string): TextPlace[] {
  if (path === '-') return [{ name: stdinName, identity: stdinName, found: false }];
  // As of a variable of a script that is not set: it would be the whole folder.
  if (path === '') throw new CommandError('a path is empty: name a file or a folder, or . for this one');
  const full = resolve(cwd, path);
  const stat = reading(path, () => statSync(full, { throwIfNoEntry: false }));
  if (stat === undefined) throw new CommandError(`${printable(path)}: there is no such file or folder`);
  const nameOf = (file: string) => {
    const below = relative(cwd, file);
    return withSlashes(below.startsWith('..') ? file : below);
  };
  const [files, found] = stat.isDirectory() ? [[...manifestsBelow(full, nameOf)], true] : [[full], false];
  return files.map((file) => ({ name: nameOf(file), identity: identityOf(file), found }));
}

/** As forges, patches and SARIF write a path, on Windows too, where it leads to the same file. */
export function withSlashes(path: string, separator: string = sep): string {
  return path.split(separator).join('/');
}

/** A pipe of the shell, as in `-f <(…)`, has a name and no path. */
function identityOf(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

async function sourceAt({ name, found, identity }: TextPlace, terminal: Terminal): Promise<Source> {
  const bytes =
    identity === stdinName
      ? await fromStdin(terminal)
      : reading(name, () => readFileSync(resolve(terminal.cwd, name)));
  const utf16 = utf16In(bytes);
  if (utf16 !== undefined) return { name, text: utf16, found, isUtf16: true };
  const text = bytes.toString('utf8');
  return { name, text, found, ...(isUtf8(bytes) ? {} : { brokenLine: brokenLineOf(bytes) }) };
}

/** By the mark of its byte order alone, as kubectl has it (k8s.io/cli-runtime, pkg/resource/visitor.go): PowerShell's `>` writes it. */
function utf16In(bytes: Buffer): string | undefined {
  const mark = bytes.toString('hex', 0, 2);
  const order = { fffe: 'le', feff: 'be' }[mark];
  return order === undefined ? undefined : new TextDecoder(`utf-16${order}`).decode(bytes);
}

/** No character of UTF-8 has the byte of a line end within it. */
function brokenLineOf(bytes: Buffer): number {
  let [line, start] = [1, 0];
  for (let end = 0; (end = bytes.indexOf('\n', start)) >= 0 && isUtf8(bytes.subarray(start, end)); line += 1)
    start = end + 1;
  return line;
}

async function fromStdin(terminal: Terminal): Promise<Buffer> {
  if (terminal.stdinIsTerminal) {
    throw new CommandError(
      'there is nothing on standard input: pipe manifests into it (`kubectl kustomize . | keepalive …`), or name them with -f',
    );
  }
  const bytes = await terminal.readStdin();
  // In a pipe without pipefail this alone tells that what feeds it failed: of nothing, nothing is wrong.
  if (/^\s*(?!#)\S/m.test(utf16In(bytes) ?? bytes.toString('latin1'))) return bytes;
  throw new CommandError('nothing came in on standard input: did the command before it fail?');
}

/** Where only a folder was read: what is piped in is not read unasked, since in CI it is often a pipe that has nothing, or never ends. */
export function sayUnread(
  found: string,
  { filename, terminal }: { readonly filename: unknown; readonly terminal: Terminal },
): void {
  if (filename !== undefined || !terminal.stdinIsPiped) return;
  terminal.say(
    `${found} was found in this folder, and standard input was not read: add \`-f -\` to read it\n`,
  );
}

function* manifestsBelow(folder: string, nameOf: (path: string) => string): Generator<string> {
  const entries = reading(nameOf(folder) || '.', () => readdirSync(folder, { withFileTypes: true }));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !passedOver.test(entry.name)) yield* manifestsBelow(path, nameOf);
    if (
      manifestName.test(entry.name) &&
      (entry.isFile() || (entry.isSymbolicLink() && leadsToFile(path, nameOf(path))))
    )
      yield path;
  }
}

/** Like kubectl, which follows links to files and none to folders. Hidden ones that lead nowhere are locks of editors. */
function leadsToFile(path: string, name: string): boolean {
  const isLock = basename(path).startsWith('.');
  return reading(name, () => statSync(path, { throwIfNoEntry: !isLock }))?.isFile() ?? false;
}

/** What to do about the errors that people meet. */
const advice: Readonly<Record<string, string>> = {
  EACCES: 'get the right to read it, or name only what you may read with -f',
  EPERM: 'get the right to read it, or name only what you may read with -f',
  ELOOP: 'it is a link that leads back to itself: mend it, or remove it',
  ENOENT: 'it is a link that leads nowhere, or is gone: mend it, or remove it',
};

/** Node shows a name that is not UTF-8 by this character, and finds nothing by that. */
const unknownCharacter = '\uFFFD';

function reading<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const todo =
      code === 'ENOENT' && name.includes(unknownCharacter)
        ? 'its name is not UTF-8: give it another'
        : advice[code];
    const why = code === '' ? printable(message) : code;
    throw new CommandError(
      `${printable(name)}: it cannot be read (${why})${todo === undefined ? '' : `: ${todo}`}`,
    );
  }
}
