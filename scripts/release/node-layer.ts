import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { runOrThrow } from '../../test/cluster/command.ts';
import type { Architecture } from './architecture.ts';
import { namesOf } from './architecture.ts';
import type { Entry } from './archive.ts';
import { entriesOf } from './archive.ts';
import { whatIsLoaded } from './elf.ts';
import type { Lock } from './lock.ts';

/** The package of npm that has Node as a program. */
export function nodePackage(architecture: Architecture): string {
  return `node-linux-${namesOf[architecture].node}`;
}

/** Node without npm, headers and names for debuggers. */
export async function nodeEntries(architecture: Architecture, { node }: Lock): Promise<Entry[]> {
  const name = `${nodePackage(architecture)}@${node.version}`;
  const files = await entriesOf(gunzipSync(await fetchPackage(name, node.integrity[architecture])));
  const get = (path: string) => {
    const found = files.find((file) => file.path === `package/${path}`);
    if (found === undefined || !('body' in found)) throw new Error(`${name} has no ${path}`);
    return found.body;
  };
  return [
    { path: 'usr/bin/node', mode: 0o755, body: whatIsLoaded(get('bin/node')) },
    { path: 'usr/share/doc/node/LICENSE', mode: 0o644, body: get('LICENSE') },
  ];
}

/** npm itself holds what it has fetched against what it was told; it says what that was. */
async function fetchPackage(name: string, integrity: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-node-'));
  try {
    const packed = await runOrThrow(['npm', 'pack', name, '--json', '--prefer-offline'], {
      cwd: folder,
      env: process.env,
    });
    const [described] = Object.values(JSON.parse(packed) as object) as [Record<string, string>];
    if (described.integrity !== integrity)
      throw new Error(`${name} is ${described.integrity}, and the lock says ${integrity}`);
    return readFileSync(join(folder, described.filename ?? ''));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
