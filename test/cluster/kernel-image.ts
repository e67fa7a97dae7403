import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { fill, placeFor } from './cache.ts';
import { runOrThrow } from './command.ts';
import { debianMirror } from './package.ts';
import type { Part } from './prepare.ts';

/** A kernel of a distribution, as that distribution builds it. */
export interface KernelImage extends Part {
  readonly file: string;
  /** A folder named by the kernel's version, as in /lib/modules, and nothing beside it. */
  readonly modules: string;
}

/** As Debian calls it. */
type Architecture = 'amd64' | 'arm64';

export interface KernelSource {
  /** `trixie-backports`; each has one that is the newest there. */
  readonly suite: string;
  readonly architecture?: Architecture;
  /** Of Ubuntu, whose keys Debian does not have: what its packages have to be. */
  readonly ubuntu?: { readonly sha256: readonly string[] };
}

/** Linux 5.15 of Ubuntu 22.04. */
export const jammy: KernelSource = {
  suite: 'jammy',
  ubuntu: {
    sha256: [
      'ad56f8c442a54d4f5ff2dff010d00321d53e32b543f3a92f3ba4e042d20a71da',
      'd0ba4087d9e1d497925b3481d3531fba6c2a852855f8019d73b0b1385aa4da1f',
    ],
  },
};

/** The newest that Debian 13 offers. */
export const newest: KernelSource = { suite: 'trixie-backports' };

/** Made once: what is the newest later is another one only where this one is not there. */
export function kernelImage(source: KernelSource): KernelImage {
  const { suite, architecture = 'amd64', ubuntu } = source;
  const place = placeFor('kernels', `${suite}-${architecture}`, [
    ubuntu?.sha256.join() ?? 'debian',
    readFileSync(import.meta.filename),
  ]);
  return {
    title: `kernel of ${ubuntu === undefined ? 'Debian' : 'Ubuntu'} ${suite}`,
    file: join(place, 'vmlinuz'),
    modules: join(place, 'modules'),
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
  const known = new Set((await apt.run('apt-cache', 'pkgnames', 'linux-')).split('\n'));
  // Debian keeps kernel, modules and their lists apart since Linux 7.1; Ubuntu the modules.
  const apart = ['binary', 'modules', 'base'].map((part) => `linux-${part}-${version}`);
  const parts = apart.filter((name) => known.has(name));
  const isWhole = !parts.some((name) => name.startsWith('linux-binary'));
  await apt.run('apt-get', '-q', 'download', ...parts, ...(isWhole ? [`linux-image-${version}`] : []));
  for (const archive of globSync(join(apt.folder, '*.deb'))) {
    if (ubuntu !== undefined) requireSum(archive, ubuntu.sha256);
    await runOrThrow(['dpkg-deb', '-x', archive, apt.folder], { signal });
  }
  const [kernel = ''] = globSync(join(apt.folder, '{boot/vmlinuz-*,usr/lib/modules/*/vmlinuz}'));
  renameSync(kernel, join(folder, 'vmlinuz'));
  const [modules = ''] = globSync(join(apt.folder, '{lib,usr/lib}/modules'));
  renameSync(modules, join(folder, 'modules'));
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

function requireSum(archive: string, sums: readonly string[]): void {
  const has = createHash('sha256').update(readFileSync(archive)).digest('hex');
  if (!sums.includes(has))
    throw new Error(`${archive} is ${has} and not ${sums.join(' or ')}: it is not the one that is known`);
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
