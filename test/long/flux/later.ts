import product from '../../../package.json' with { type: 'json' };
import type { Cluster } from '../../cluster/cluster.ts';
import type { Bench } from '../../e2e/shared.ts';

/** The version after this one: the same program by another name. */
export const later = '0.1.1';
export const toLater = (text: string) => text.replaceAll(product.version, later);

const image = `keepalive.dev/keepalive-operator:${product.version}`;
const tools = 'localhost/tools:1';
export const laterTools = 'localhost/tools:2';

/** Gives the images of operator and workload their later names on the node. */
export async function tagLater(cluster: Cluster): Promise<void> {
  const names = [
    [image, toLater(image)],
    [tools, laterTools],
  ];
  for (const [from, to] of names) await cluster.onNode('n1', `ctr -n k8s.io images tag ${from} ${to}`);
}

/** Of what runs when all of it is of the later version. */
export const laterImages: ReadonlySet<string> = new Set([toLater(image), laterTools]);

/** Of everything that has a template. */
export async function imagesIn(cluster: Cluster): Promise<ReadonlySet<string>> {
  const images = await cluster.kubectl('get', 'deployments,daemonsets', '-A', '-o', 'jsonpath={..image}');
  return new Set(images.split(' '));
}

/** What the kernels of all pods of the application hold, of those that run. */
export async function valuesOfPods(bench: Bench): Promise<string[]> {
  const { items } = await bench.json<{ items: readonly RunningPod[] }>('pods', '-n', 'db');
  const running = items.filter(
    ({ status, metadata }) => status.phase === 'Running' && metadata.deletionTimestamp === undefined,
  );
  const all = await Promise.all(running.map(({ metadata }) => valuesUnlessGoing(bench, metadata.name)));
  return all.filter((one) => one !== undefined);
}

/** Undefined of one that goes meanwhile: it has nothing more to say. */
async function valuesUnlessGoing(bench: Bench, name: string): Promise<string | undefined> {
  try {
    return await bench.valuesIn(name, 'db');
  } catch (error) {
    const pod = ['get', 'pod', name, '-n', 'db', '--ignore-not-found', '-o', 'json'];
    const said = await bench.cluster.kubectl(...pod);
    if (said !== '' && (JSON.parse(said) as RunningPod).metadata.deletionTimestamp === undefined) throw error;
    return undefined;
  }
}

interface RunningPod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly phase: string };
}
