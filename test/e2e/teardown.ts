import { Cluster } from '../cluster/cluster.ts';
import { RUNNING_CLUSTER, SHARED_CLUSTER } from './shared.ts';

export default async function teardown(): Promise<void> {
  if (RUNNING_CLUSTER === undefined) await Cluster.find(SHARED_CLUSTER)?.down();
}
