import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { fill, placeFor } from './cache.ts';
import { runOrThrow } from './command.ts';
import { debianMirror } from './package.ts';
import type { Part } from './prepare.ts';

/** A kernel of a distribution, as that distribution builds it: without its modules, for a guest that lives in memory. */
export interface KernelImage extends Part {
  readonly file: string;
}

/** As Debian calls it. */
type Architecture = 'amd64' | 'arm64';

export interface KernelSource {
  /** `trixie-backports`; each has one that is the newest there. */
  readonly suite: string;
  readonly architecture?: Architecture;
  /** Of Ubuntu, whose keys Debian does not have: what the package has to be. */
  readonly ubuntu?: { readonly sha256: string };
}

/** Made once: what is the newest later is another one only where this one is not there. */
export function kernelImage(source: KernelSource): KernelImage {
  const { suite, architecture = 'amd64', ubuntu } = source;
  const place = placeFor('kernels', `${suite}-${architecture}`, [ubuntu?.sha256 ?? 'debian']);
  return {
    title: `kernel of ${ubuntu === undefined ? 'Debian' : 'Ubuntu'} ${suite}`,
    file: join(place, 'vmlinuz'),
    isBuilt: () => existsSync(place),
    build: (signal) => fill(place, (folder) => fetchInto(folder, source, signal)),
  };
}

const debianKeys = '/usr/share/keyrings/debian-archive-keyring.gpg';
const ubuntuMirror = 'http://archive.ubuntu.com/ubuntu';

async function fetchInto(
  folder: string,
  { suite, architecture = 'amd64', ubuntu }: KernelSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [meta, from] =
    ubuntu === undefined
      ? [`linux-image-cloud-${architecture}`, await debianSource()]
      : ['linux-image-virtual', `[trusted=yes] ${ubuntuMirror}`];
  const apt = new Apt(join(folder, 'apt'), { source: `deb ${from} ${suite} main\n`, architecture, signal });
  await apt.run('apt-get', '-q', 'update');
  const described = await apt.run('apt-cache', 'show', meta);
  const version = /\blinux-image-(\d[^\s,]*)/.exec(described)?.[1];
  if (version === undefined) throw new Error(`${suite} has no kernel: ${meta} depends on none`);
  // Debian keeps it in a package of its own since Linux 7.1.
  const binary = await apt.run('apt-cache', 'search', '--names-only', `^linux-binary-`);
  const name = binary.includes(`linux-binary-${version} `) ? 'linux-binary' : 'linux-image';
  await apt.run('apt-get', '-q', 'download', `${name}-${version}`);
  const [archive = ''] = globSync(join(apt.folder, '*.deb'));
  if (ubuntu !== undefined) requireSum(archive, ubuntu.sha256);
  await runOrThrow(['dpkg-deb', '-x', archive, apt.folder], { signal });
  const [kernel = ''] = globSync(join(apt.folder, '{boot/vmlinuz-*,usr/lib/modules/*/vmlinuz}'));
  copyFileSync(kernel, join(folder, 'vmlinuz'));
  rmSync(apt.folder, { recursive: true });
}

/** Packages of Debian 12 of another architecture, unpacked over each other, without what they depend on. */
export async function unpackForeign(
  folder: string,
  packages: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const source = `deb ${await debianSource()} bookworm main\n`;
  const apt = new Apt(join(folder, 'apt'), { source, architecture: 'arm64', signal });
  await apt.run('apt-get', '-q', 'update');
  await apt.run('apt-get', '-q', 'download', ...packages);
  for (const archive of globSync(join(apt.folder, '*.deb')))
    await runOrThrow(['dpkg-deb', '-x', archive, folder], { signal });
  rmSync(apt.folder, { recursive: true });
}

async function debianSource(): Promise<string> {
  return `[signed-by=${debianKeys}] ${await debianMirror()}`;
}

function requireSum(archive: string, sha256: string): void {
  const has = createHash('sha256').update(readFileSync(archive)).digest('hex');
  if (has !== sha256)
    throw new Error(`${archive} is ${has} and not ${sha256}: it is not the one that is known`);
}

interface AptOptions {
  /** The content of a sources.list. */
  readonly source: string;
  readonly architecture: Architecture;
  readonly signal: AbortSignal | undefined;
}

/** With sources and a memory of its own: this machine's are left alone. */
class Apt {
  readonly folder: string;
  readonly #options: AptOptions;

  constructor(folder: string, options: AptOptions) {
    this.folder = folder;
    this.#options = options;
    for (const name of ['lists/partial', 'archives/partial'])
      mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'status'), '');
    writeFileSync(join(folder, 'sources.list'), options.source);
  }

  run(program: 'apt-get' | 'apt-cache', ...args: readonly string[]): Promise<string> {
    const { folder } = this;
    const { architecture, signal } = this.#options;
    const options = Object.entries({
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
      'Acquire::Languages': 'none',
      'Dir::Cache': folder,
      'Dir::Etc::sourcelist': join(folder, 'sources.list'),
      'Dir::Etc::sourceparts': '/dev/null',
      'Dir::State::lists': join(folder, 'lists'),
      'Dir::State::status': join(folder, 'status'),
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    return runOrThrow([program, ...options, ...args], { cwd: folder, signal });
  }
}
