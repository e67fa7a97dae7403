import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import product from '../../package.json' with { type: 'json' };
import { alone } from './cache.ts';
import type { Cluster } from './cluster.ts';
import { runOrThrow } from './command.ts';
import { baseImage, buildah, nodeImage, ofStock, saveImage } from './image.ts';
import { repository } from './place.ts';
import { provide } from './prepare.ts';
import { ownStock } from './stock.ts';

const productName = 'keepalive.dev/keepalive-operator';
const manifests = join(repository, 'deploy');

export interface InstallOptions {
  readonly onProgress?: (step: string) => void;
  /** A kustomization; deploy/ unless told otherwise. */
  readonly folder?: string;
  /** The image of this build is on every node already. */
  readonly isLoaded?: boolean;
}

/** A test cannot wait for as long as the shortest timeout that is allowed by default, and a bench makes crowds. */
export const labSettings = { smallestIdleTimeoutSeconds: '2', policiesPerNamespace: '1000' } as const;

/** Builds the product as its users would, and installs it as they do. */
export async function installProduct(
  cluster: Cluster,
  { onProgress = () => undefined, folder = manifests, isLoaded = false }: InstallOptions,
): Promise<void> {
  if (!isLoaded) await loadProduct(cluster, onProgress);
  const older = await workloads(cluster);
  await cluster.kubectl('apply', '-k', folder);
  onProgress(`applied ${folder}`);
  if (folder === manifests) await widenLimits(cluster, onProgress);
  await switchConnections(cluster);
  const patience = cluster.guests.length > 0 ? '600s' : '120s';
  // The manifests say the same as before, the image of that name does not.
  for (const { namespace, name } of older) await cluster.kubectl('rollout', 'restart', '-n', namespace, name);
  for (const { namespace, name } of await workloads(cluster))
    await cluster.kubectl('rollout', 'status', '-n', namespace, name, `--timeout=${patience}`);
}

/** What the image is made of, and the tag that it gets. */
export interface Source {
  readonly folder: string;
  readonly tag: string;
}

const thisOne: Source = { folder: repository, tag: product.version };

/** Builds the image, for each architecture that nodes have, and puts it onto every node. */
export async function loadProduct(
  cluster: Cluster,
  onProgress: (step: string) => void = () => undefined,
  source = thisOne,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-install-'));
  try {
    for (const stock of cluster.stocks) {
      const archive = join(folder, `${stock.architecture}.tar`);
      await buildProduct(archive, source, stock);
      onProgress(`built ${productName}:${source.tag} for ${stock.architecture}`);
      await cluster.load(archive);
    }
    onProgress('loaded it onto every node');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function widenLimits(cluster: Cluster, onProgress: (step: string) => void): Promise<void> {
  await cluster.kubectl(
    ...['patch', 'configmap', 'keepalive-settings', '-n', 'keepalive-system', '--type=merge', '-p'],
    JSON.stringify({ data: labSettings }),
  );
  onProgress('widened the limits of namespaced policies, since nobody here can wait for long');
}

/** KEEPALIVE_CONNECTIONS=Descriptors has a whole run made without BPF. */
async function switchConnections(cluster: Cluster): Promise<void> {
  const { KEEPALIVE_CONNECTIONS: by } = process.env;
  if (by === undefined) return;
  for (const { namespace, name } of await workloads(cluster))
    if (name.startsWith('DaemonSet/'))
      await cluster.kubectl('set', 'env', '-n', namespace, name, `CONNECTIONS=${by}`);
}

/** The product as an archive. */
export async function buildProduct(
  archive: string,
  { folder, tag } = thisOne,
  stock = ownStock,
): Promise<void> {
  const base = baseImage(stock);
  await provide(stock.needs, undefined);
  if (!base.isBuilt()) await base.build();
  const further = stock === ownStock ? [] : [stock.architecture];
  await runOrThrow([process.execPath, join(folder, 'scripts/build.ts'), ...further], {
    called: 'npm run build',
    cwd: folder,
  });
  if (!existsSync(join(folder, 'dist/main.mjs'))) throw new Error('npm run build left no dist/main.mjs');
  // Clones share the store, where all give their image the same name.
  await alone('product-image', async () => {
    const name = `${productName}:${tag}`;
    const madeAs = ofStock(stock, name);
    await buildah(
      ...['bud', '--quiet', '--platform', `linux/${stock.architecture}`],
      ...['--build-arg', `BASE=${ofStock(stock, nodeImage)}`, '--tag', madeAs, folder],
    );
    await saveImage(madeAs, archive, name);
    // The builds before this one, whose name it took.
    await buildah('rmi', '--prune', '--force');
  });
}

interface Workload {
  readonly namespace: string;
  /** As `Deployment/NAME`. */
  readonly name: string;
}

/** What runs the product, wherever it was put. */
async function workloads(cluster: Cluster): Promise<Workload[]> {
  const columns = 'jsonpath={range .items[*]}{.metadata.namespace} {.kind}/{.metadata.name}{"\\n"}{end}';
  const ours = ['-A', '-l', 'app.kubernetes.io/name=keepalive-operator'];
  const listed = await cluster.kubectl('get', 'deployments,daemonsets', ...ours, '-o', columns);
  return listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [namespace = '', name = ''] = line.split(' ');
      return { namespace, name };
    });
}
