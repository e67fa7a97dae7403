import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { control } from '../../cluster/addresses.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Host } from '../../cluster/host.ts';
import { until } from '../../cluster/wait.ts';
import { GitRepository } from './git-repository.ts';

const port = 8420;
/** Where repositories are served to every host of the lab: `BASE/NAME`. */
export const gitServer = `http://${control.v4}:${port}`;

/** A server of Git beside the API server, and the repositories that are made for it. */
export class ServedRepositories {
  readonly #host: Host;
  readonly #folder: string;

  private constructor(host: Host, folder: string) {
    this.#host = host;
    this.#folder = folder;
  }

  static async start({ lab }: Cluster): Promise<ServedRepositories> {
    const host = await lab.host('control');
    const folder = join(lab.folder, 'git');
    mkdirSync(folder, { recursive: true });
    await host.start([process.execPath, join(import.meta.dirname, 'git-server.ts'), folder, `${port}`], {
      logFile: join(lab.folder, 'log', 'git.log'),
    });
    return new ServedRepositories(host, folder);
  }

  /** Resolves when it can be fetched. */
  async create(name: string): Promise<GitRepository> {
    const repository = await GitRepository.create(join(this.#folder, name));
    await until(`${name} is served`, async () => {
      const { code } = await this.#host.exec(['git', 'ls-remote', `${gitServer}/${name}`]);
      return code === 0;
    });
    return repository;
  }
}
