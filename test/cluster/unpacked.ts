import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { fill, placeFor } from './cache.ts';
import { runOrThrow } from './command.ts';
import type { Host } from './host.ts';

/**
 * Debian packages that are unpacked and never installed: this machine gets no service, no user and no boot file of
 * theirs. A host of the lab sees them at their usual paths.
 */
export interface Unpacked {
  readonly packages: readonly string[];
  /** Where they are, or will be once unpacked: a root folder that has /usr, merged. */
  readonly folder: string;
  readonly isBuilt: () => boolean;
  readonly build: (signal?: AbortSignal) => Promise<void>;
}

export function unpacked(name: string, packages: readonly string[]): Unpacked {
  // The machine's own libraries go with them, so those of another release are others.
  const folder = placeFor('unpacked', name, [readFileSync('/etc/os-release'), packages.join()]);
  return {
    packages,
    folder,
    isBuilt: () => existsSync(folder),
    build: (signal) => fill(folder, (at) => unpackInto(at, packages, signal)),
  };
}

/** What is missing here of the packages and of all that they depend on. */
async function unpackInto(
  folder: string,
  packages: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const archives = join(folder, 'archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, signal };
  const into = ['-o', `Dir::Cache::archives=${archives}`, '-o', 'APT::Sandbox::User=root'];
  // Even those that are installed: they may go while this folder stays.
  const only = ['--no-install-recommends', '--reinstall', '--download-only', 'install', ...packages];
  await runOrThrow(['apt-get', '-q', 'update'], options);
  await runOrThrow(['apt-get', '-q', '-y', ...into, ...only], options);
  for (const archive of readdirSync(archives).filter((one) => one.endsWith('.deb')))
    await runOrThrow(['dpkg-deb', '-x', join(archives, archive), folder], options);
  rmSync(archives, { recursive: true });
  mergeUsr(folder);
}

/** As on every Debian since 12: /lib, /bin and /sbin are those of /usr. */
function mergeUsr(folder: string): void {
  for (const name of ['bin', 'lib', 'sbin'].filter((one) => existsSync(join(folder, one)))) {
    cpSync(join(folder, name), join(folder, 'usr', name), { recursive: true, verbatimSymlinks: true });
    rmSync(join(folder, name), { recursive: true });
  }
}

/** From now on the host has these packages in /usr, as if they were installed. */
export async function layOver(host: Host, { folder }: Unpacked): Promise<void> {
  const lower = `lowerdir=${join(folder, 'usr')}:/usr`;
  await host.execOrThrow(['mount', '-t', 'overlay', '-o', lower, 'overlay', '/usr'], { cwd: '/' });
}
