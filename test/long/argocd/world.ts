import { Cluster } from '../../cluster/cluster.ts';
import { loadProduct } from '../../cluster/install.ts';
import { repository } from '../../cluster/place.ts';
import { provide } from '../../cluster/prepare.ts';
import { Bench, sleeper } from '../../e2e/shared.ts';
import { helmProgram } from '../../support/helm.ts';
import { kustomizeProgram } from '../../support/kustomize.ts';
import type { GitRepository } from '../git/git-repository.ts';
import { ServedRepositories } from '../git/served.ts';
import type { Application } from './argocd.ts';
import { ArgoCd, argoPackages, argoProgram, inTheWay, standing } from './argocd.ts';
import { Desk } from './desk.ts';

export const fine = 'Synced Healthy';

/** A cluster with Argo CD, a repository that has the manifests of the product, and somebody who reads the page. */
export class ArgoWorld {
  readonly cluster: Cluster;
  readonly bench: Bench;
  readonly argo: ArgoCd;
  readonly fleet: GitRepository;
  readonly desk: Desk;

  private constructor(cluster: Cluster, argo: ArgoCd, fleet: GitRepository, desk: Desk) {
    this.cluster = cluster;
    this.bench = new Bench(cluster);
    this.argo = argo;
    this.fleet = fleet;
    this.desk = desk;
  }

  static async start(name: string, commands: readonly string[]): Promise<ArgoWorld> {
    await provide({ programs: [argoProgram], unpacked: [argoPackages] }, undefined);
    await helmProgram('Helm 3');
    await kustomizeProgram();
    const cluster = await Cluster.up({ name, nodes: 1, owned: true });
    await loadProduct(cluster);
    const argo = await ArgoCd.start(cluster);
    const repositories = await ServedRepositories.start(cluster);
    const fleet = await repositories.create('fleet');
    fleet.copy(repository, ['crds', 'deploy'], 'keepalive-operator');
    await fleet.commit({});
    return new ArgoWorld(cluster, argo, fleet, new Desk(cluster, commands));
  }

  /** Waits until Argo CD has nothing more to do, of this revision if one is told. */
  untilFine(name: string, revision?: string, timeoutMs = 100_000): Promise<Application> {
    const isFine = (one: Application) =>
      standing(one) === fine &&
      one.operation === undefined &&
      one.status?.operationState?.phase === 'Succeeded' &&
      (revision === undefined || one.status.sync?.revision === revision);
    return this.argo.until(name, isFine, { timeoutMs });
  }

  /** Refreshes while pods come and go and statuses change; every standing that any list of Applications would have shown. */
  async seenThrough(times: number, names: readonly string[]): Promise<string[]> {
    const seen = new Set<string>();
    for (let round = 1; round <= times; round += 1) {
      const pod = sleeper(`visitor-${round}`, 'db', { labels: { app: 'mongo' } });
      await this.bench.apply(pod);
      for (const name of names) {
        const application = await this.argo.refresh(name, round % 10 === 0 ? 'hard' : 'normal');
        seen.add(standing(application) === fine ? fine : JSON.stringify(inTheWay(application)));
      }
      await this.cluster.kubectl('delete', 'pod', pod.metadata.name, '-n', 'db', '--now', '--wait=false');
    }
    return [...seen];
  }
}
