import product from '../../../package.json' with { type: 'json' };
import { registry } from '../../cluster/addresses.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { loadProduct } from '../../cluster/install.ts';
import { repository } from '../../cluster/place.ts';
import { Bench } from '../../e2e/shared.ts';
import { filesOf } from '../../unit/docs/console.ts';
import { Page } from '../../unit/docs/page.ts';
import type { GitRepository } from '../git/git-repository.ts';
import { ServedRepositories, gitServer } from '../git/served.ts';
import type { FluxObject, Said } from './flux.ts';
import { Flux, home, said } from './flux.ts';

export const page = new Page('docs/flux.md');

export const source = 'keepalive/operator/source.yaml';
export const release = 'keepalive/operator/release.yaml';
export const withoutHelm = 'keepalive/operator/without-helm.yaml';
/** How the operator comes, and the files of the page that are for that alone. */
const ways = {
  HelmRelease: [source, release],
  Kustomization: [source, withoutHelm],
  registry: ['keepalive/operator/from-registry.yaml', 'clusters/prod/db-artifact.yaml'],
} as const;
export type Way = keyof typeof ways;

/** With the addresses and images of the lab, whose registry is asked by plain HTTP; what fails is not waited for as long. */
export const asHere = (text: string) =>
  text
    .replaceAll('timeout: 3m', 'timeout: 45s')
    .replaceAll('https://git.example.com', gitServer)
    .replaceAll('  url: oci://registry.example.com', `  insecure: true\n  url: oci://${registry}`)
    .replaceAll('oci://registry.example.com', `oci://${registry}`)
    .replaceAll('registry.example.com', 'keepalive.dev');

/** What the page shows for one way, by its path. */
export function shown(way: Way): Record<string, string> {
  const mine: readonly string[] = ways[way];
  const others = Object.values<readonly string[]>(ways)
    .flat()
    .filter((path) => !mine.includes(path));
  return Object.fromEntries(
    [...filesOf(page)].filter(([path]) => !others.includes(path)).map(([path, text]) => [path, asHere(text)]),
  );
}

/** A workload that the page leaves to its reader: pods of `app=db`. */
export function workload({ image = 'localhost/tools:1', labels = {} }: Workload = {}): string {
  const selector = { app: 'db' };
  const container = { name: 'main', image, imagePullPolicy: 'Never', command: ['sleep', '36000'] };
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'db', namespace: 'db' },
    spec: {
      replicas: 2,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: { ...selector, ...labels } },
        spec: { terminationGracePeriodSeconds: 0, containers: [container] },
      },
    },
  });
}

interface Workload {
  readonly image?: string;
  /** More of its pods. */
  readonly labels?: Readonly<Record<string, string>>;
}

export const workloadFile = 'apps/db/workload.yaml';

/** A cluster whose Flux reads two repositories: the product's, and the one of whoever runs the cluster. */
export interface FluxWorld {
  readonly bench: Bench;
  readonly flux: Flux;
  readonly product: GitRepository;
  readonly fleet: GitRepository;
  /** What the page shows, with a workload, is committed, and Flux begins. */
  readonly begin: (way: Way) => Promise<string>;
  /** Commits and has Flux fetch it. */
  readonly push: (files: Readonly<Record<string, string | undefined>>) => Promise<string>;
}

export async function fluxWorld(cluster: Cluster): Promise<FluxWorld> {
  await loadProduct(cluster);
  const flux = await Flux.start(cluster);
  const repositories = await ServedRepositories.start(cluster);
  const ours = await repositories.create('keepalive-operator');
  ours.copy(repository, ['deploy', 'crds']);
  await ours.commit({});
  await ours.tag(`v${product.version}`);
  const fleet = await repositories.create('fleet');
  const push: FluxWorld['push'] = async (files) => {
    const revision = await fleet.commit(files);
    await flux.ask('gitrepository', home);
    return revision;
  };
  const bench = new Bench(cluster);
  const begin: FluxWorld['begin'] = async (way) => {
    await bench.namespace('db');
    const revision = await fleet.commit({ ...shown(way), [workloadFile]: workload() });
    await bench.apply(...bootstrap());
    return revision;
  };
  return { bench, flux, product: ours, fleet, begin, push };
}

/** Whether a Kustomization says this of a revision. */
export const isAt = (revision: string, wanted: Partial<Said>) => (object: FluxObject) =>
  object.status?.lastAttemptedRevision?.endsWith(revision) === true &&
  Object.entries(wanted).every(([key, value]) => said(object)?.[key as keyof Said] === value);
export const isReadyAt = (revision: string) => isAt(revision, { status: 'True' });

/** What `flux bootstrap` leaves: the repository of the fleet, and a Kustomization of the cluster's folder. */
const bootstrap = () => fromFleet(home, { path: './clusters/prod', prune: true });

/** A Kustomization of the fleet, beside a look at its repository that is its own. */
export function fromFleet(name: string, spec: object): object[] {
  const metadata = { name, namespace: home };
  return [
    {
      ...{ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', metadata },
      spec: { interval: '1h', url: `${gitServer}/fleet`, ref: { branch: 'main' } },
    },
    {
      ...{ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', metadata },
      spec: { interval: '1h', sourceRef: { kind: 'GitRepository', name }, ...spec },
    },
  ];
}
