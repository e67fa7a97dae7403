import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Architecture } from '../../scripts/release/architecture.ts';
import type { Output } from '../cluster/command.ts';
import { run, runOrThrow } from '../cluster/command.ts';

interface Described {
  readonly digest: string;
  readonly platform?: { readonly architecture: string };
}

/** An OCI layout that names one index, as whoever pulls it sees it. */
export class ImageOnDisk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The digest of what names the images of all architectures. */
  get digest(): string {
    return this.#named.digest;
  }

  get #named(): Described {
    const { manifests } = JSON.parse(readFileSync(join(this.#folder, 'index.json'), 'utf8')) as {
      manifests: [Described];
    };
    return manifests[0];
  }

  #read<T>({ digest }: Described): T {
    return JSON.parse(readFileSync(this.#path(digest), 'utf8')) as T;
  }

  #path(digest: string): string {
    return join(this.#folder, 'blobs', digest.replace(':', '/'));
  }

  #manifest(architecture: Architecture): { config: Described; layers: Described[] } {
    const { manifests } = this.#read<{ manifests: Described[] }>(this.#named);
    const one = manifests.find(({ platform }) => platform?.architecture === architecture);
    if (one === undefined) throw new Error(`there is no image for ${architecture}`);
    return this.#read(one);
  }

  config(architecture: Architecture): { config: { User: string; Entrypoint: string[]; Env: string[] } } {
    return this.#read(this.#manifest(architecture).config);
  }

  /** Its files, as a container would have them. */
  async unpack(architecture: Architecture, into: string): Promise<void> {
    if (!existsSync(into)) mkdirSync(into, { recursive: true });
    for (const { digest } of this.#manifest(architecture).layers)
      await runOrThrow(['tar', '-xzf', this.#path(digest), '-C', into]);
    for (const folder of ['proc', 'dev']) mkdirSync(join(into, folder), { recursive: true });
  }

  /**
   * Runs Node of the image among the files of the image alone, as its user and without a network; arm64 by a program `emulator` among them.
   * To its end, or asked to end as soon as it has printed `upTo`.
   */
  node(architecture: Architecture, root: string, args: readonly string[], upTo?: string): Promise<Output> {
    const { config } = this.config(architecture);
    const [node = ''] = config.Entrypoint;
    const argv = [...(architecture === 'arm64' ? ['/emulator'] : []), `/usr/bin/${node}`, ...args];
    const script = 'mount --bind /proc "$1/proc"; mount --bind /dev "$1/dev"; shift; exec chroot "$@"';
    const as = [`--userspec=${config.User}`, root, ...argv];
    const command = [
      'unshare',
      '--net',
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-ec',
      script,
      'sh',
      root,
    ];
    const env = Object.fromEntries(config.Env.map((one) => one.split('=') as [string, string]));
    return run([...command, ...as], { env: { ...env, PATH: process.env.PATH }, upTo });
  }

  /** What the controller tells, line by line, without a cluster: it is told to end once it says that it waits for one. */
  async controllerAlone(architecture: Architecture, root: string) {
    const waits = '"msg":"waiting for the API server"';
    const { stdout, ...ended } = await this.node(architecture, root, ['/app/main.mjs', 'controller'], waits);
    const lines = stdout.trim().split('\n');
    return { told: lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>), ...ended };
  }
}
