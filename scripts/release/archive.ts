import { gzipSync } from 'node:zlib';

import type { Header } from 'tar-stream';
import { extract, pack } from 'tar-stream';

/** Something of a file system, by its path below the root and without a leading slash. */
export type Entry =
  | { readonly path: string; readonly mode: number; readonly body: Buffer }
  | { readonly path: string; readonly target: string }
  | { readonly path: string; readonly mode: number };

/** Of all that is packed: the same whenever, wherever and by whomever. */
const nobody = { uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) };

/** The same entries, in whatever order, are the same bytes; folders above them are added. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const entry of withFolders(entries)) {
    if ('body' in entry) tar.entry({ ...nobody, name: entry.path, mode: entry.mode }, entry.body);
    else tar.entry(headersOf(entry));
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function headersOf(entry: Exclude<Entry, { readonly body: Buffer }>): Partial<Header> & Pick<Header, 'name'> {
  return 'target' in entry
    ? { ...nobody, name: entry.path, type: 'symlink', linkname: entry.target, mode: 0o777 }
    : { ...nobody, name: `${entry.path}/`, type: 'directory', mode: entry.mode };
}

function withFolders(entries: readonly Entry[]): Entry[] {
  const all = new Map<string, Entry>();
  for (const { path } of entries)
    for (const folder of foldersAbove(path)) all.set(folder, { path: folder, mode: 0o755 });
  for (const entry of entries) {
    const there = all.get(entry.path);
    if (there !== undefined && ('body' in there || 'target' in there))
      throw new Error(`${entry.path} is there twice`);
    all.set(entry.path, entry);
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_part, at) => parts.slice(0, at + 1).join('/'));
}

/** What an archive holds, without its folders. */
export async function entriesOf(tar: Buffer): Promise<Entry[]> {
  const found: Entry[] = [];
  const reading = extract();
  reading.end(tar);
  for await (const entry of reading) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, mode, type, linkname } = entry.header;
    const path = name.replace(/^\.?\//, '').replace(/\/$/, '');
    if (type === 'symlink') found.push({ path, target: linkname });
    if (type === 'file') found.push({ path, mode: mode & 0o755, body: Buffer.concat(chunks) });
    if (type === 'link') throw new Error(`${path} is a hard link, which nothing here expects`);
  }
  return found;
}

/** As Node does it; it writes no time and no name of a file. The system that RFC 1952 asks for is always the same. */
export function compressed(bytes: Buffer): Buffer {
  const zipped = gzipSync(bytes, { level: 6 });
  zipped[9] = 0xff;
  return zipped;
}
