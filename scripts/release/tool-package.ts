import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { runOrThrow } from '../../test/cluster/command.ts';
import { repository } from '../../test/cluster/place.ts';
import type { Entry } from './archive.ts';
import { compressed, tarOf } from './archive.ts';
import { filesBelow } from './files-below.ts';

/** The files of `npm run package`, from its usual place: names of parts follow from where they are written, seen from the clone. */
export async function toolFiles(): Promise<Entry[]> {
  const folder = join(repository, 'dist/package');
  await runOrThrow([process.execPath, join(repository, 'scripts/package.ts')], {
    ...{ cwd: repository, env: process.env, called: 'npm run package' },
  });
  const described = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  const programs = Object.values(described.bin);
  return filesBelow(folder).map((path) => ({
    ...{ path, mode: programs.includes(path) ? 0o755 : 0o644 },
    body: readFileSync(join(folder, path)),
  }));
}

/** What `npm pack` would make of them, but without anything of the npm that happens to be here. */
export async function npmPackage(files: readonly Entry[]): Promise<Buffer> {
  return compressed(await tarOf(files.map((entry) => ({ ...entry, path: `package/${entry.path}` }))));
}
