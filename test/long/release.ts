import { join } from 'node:path';

import type { Cluster } from '../cluster/cluster.ts';
import type { HelmName } from '../support/helm.ts';
import { chart, helmProgram } from '../support/helm.ts';

/** Releases of the chart in a cluster, by one Helm, as a user has them. */
export class Releases {
  readonly #cluster: Cluster;
  readonly #helm: HelmName;
  readonly #chart: string;

  constructor(cluster: Cluster, helm: HelmName, folder = chart) {
    this.#cluster = cluster;
    this.#helm = helm;
    this.#chart = folder;
  }

  install(name: string, namespace: string, ...args: readonly string[]): Promise<string> {
    const wait = ['--create-namespace', '--wait', '--timeout=180s'];
    return this.#run('install', name, this.#chart, '--namespace', namespace, ...wait, ...args);
  }

  upgrade(name: string, namespace: string, ...args: readonly string[]): Promise<string> {
    const where = ['--namespace', namespace, '--wait', '--timeout=180s'];
    return this.#run('upgrade', name, this.#chart, ...where, ...args);
  }

  rollback(name: string, namespace: string, revision: number): Promise<string> {
    const where = ['--namespace', namespace, '--wait', '--timeout=180s'];
    return this.#run('rollback', name, String(revision), ...where);
  }

  uninstall(name: string, namespace: string): Promise<string> {
    return this.#run('uninstall', name, '--namespace', namespace, '--wait', '--timeout=120s');
  }

  /** What Helm prints; throws what it complains of. */
  async #run(...args: readonly string[]): Promise<string> {
    // Nothing of it is left in the home of whoever runs the tests.
    const home = join(this.#cluster.lab.folder, 'helm');
    const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
    const { stdout, stderr, code } = await this.#cluster.exec([await helmProgram(this.#helm), ...args], {
      env,
    });
    if (code !== 0) throw new Error(stderr.trim() || `helm ${args.join(' ')} ended with status ${code}`);
    return stdout;
  }
}
