import { Cluster } from '../cluster/cluster.ts';
import { RUNNING_CLUSTER, SHARED_CLUSTER } from './shared.ts';

/** One cluster with the product installed serves all suites; it dies with this process, whatever happens. */
export default async function setup(): Promise<void> {
  if (RUNNING_CLUSTER !== undefined) return;
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const cluster = await Cluster.up({ name: SHARED_CLUSTER, nodes: 3, owned: true });
  process.stderr.write(`cluster ready after ${seconds()}\n`);
  await cluster.install();
  process.stderr.write(`product installed after ${seconds()}\n`);
}
