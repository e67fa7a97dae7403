import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fill, placeFor } from '../../test/cluster/cache.ts';
import { runOrThrow } from '../../test/cluster/command.ts';
import { debianMirror } from '../../test/cluster/package.ts';
import type { Architecture } from './architecture.ts';
import { digestOf } from './layout.ts';
import type { LockedPackage } from './lock.ts';
import { renewal } from './lock.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface Source {
  readonly architecture: Architecture;
  /** As `bookworm`. */
  readonly release: string;
  /** As `http://mirror.example/debian/`; undefined: where this machine has its packages from. */
  readonly mirror: string | undefined;
}

/** apt with lists of its own: what is installed on this machine, and for which processor, is nothing to it. */
export class Apt {
  readonly #folder = mkdtempSync(join(tmpdir(), 'keepalive-apt-'));
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  async update(): Promise<void> {
    const { architecture, release, mirror = await debianMirror() } = this.#source;
    const at = (uri: string, suite: string) =>
      `deb [arch=${architecture} signed-by=${keyring}] ${uri} ${suite} main\n`;
    for (const part of ['state/lists/partial', 'cache/archives/partial', 'none', 'packages'])
      mkdirSync(join(this.#folder, part), { recursive: true });
    writeFileSync(join(this.#folder, 'status'), '');
    writeFileSync(
      join(this.#folder, 'sources.list'),
      [
        at(mirror, release),
        at(mirror, `${release}-updates`),
        at(mirror.replace(/\/debian\//, '/debian-security/'), `${release}-security`),
      ].join(''),
    );
    await this.#apt('update', '-o', 'APT::Update::Error-Mode=any');
  }

  /** `NAME=VERSION` of these and of all that they depend on. */
  async withDependencies(names: readonly string[]): Promise<string[]> {
    const told = await this.#apt('install', '--simulate', '--no-install-recommends', ...names);
    return [...told.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name, version]) => `${name}=${version}`);
  }

  /** Their archives, in the order of their names. */
  async download(packages: readonly string[]): Promise<Buffer[]> {
    const folder = join(this.#folder, 'packages');
    await this.#apt('download', ...packages);
    return readdirSync(folder)
      .sort()
      .map((name) => readFileSync(join(folder, name)));
  }

  async #apt(command: string, ...args: readonly string[]): Promise<string> {
    const { architecture } = this.#source;
    const settings = {
      'Dir::State': join(this.#folder, 'state'),
      'Dir::State::status': join(this.#folder, 'status'),
      'Dir::Cache': join(this.#folder, 'cache'),
      'Dir::Etc::SourceList': join(this.#folder, 'sources.list'),
      'Dir::Etc::SourceParts': join(this.#folder, 'none'),
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
      // A mirror of a day that is past is fine: what comes from it is held against the lock.
      'Acquire::Check-Valid-Until': 'false',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    return runOrThrow(['apt-get', '-q', '-y', ...options, command, ...args], {
      cwd: join(this.#folder, 'packages'),
      env: { ...process.env, LC_ALL: 'C' },
      called: `apt-get ${command} for ${architecture}`,
    });
  }
}

/** Exactly these archives, in their order; those that were fetched once are kept. */
export async function fetchPackages(source: Source, locked: readonly LockedPackage[]): Promise<Buffer[]> {
  const place = placeFor('debian', source.architecture, [JSON.stringify(locked)]);
  await fill(place, async (folder) => {
    using apt = new Apt(source);
    await apt.update();
    const wanted = locked.map(({ name, version }) => `${name}=${version}`);
    for (const archive of await apt.download(wanted).catch(moved))
      writeFileSync(join(folder, digestOf(archive)), archive);
  });
  return locked.map(({ name, version, digest }) => {
    const path = join(place, digest);
    const archive = existsSync(path) ? readFileSync(path) : Buffer.of();
    if (digestOf(archive) === digest) return archive;
    rmSync(place, { recursive: true });
    throw new Error(`${name} ${version} for ${source.architecture} is not what the lock says: ${renewal}`);
  });
}

function moved(error: unknown): never {
  throw new Error(
    `the mirror has other versions than the lock: ${renewal}, or name a mirror of that day by --debian-mirror ` +
      '(http://snapshot.debian.org/archive/debian/20261101T000000Z/ and the like)',
    { cause: error },
  );
}
