import { Cluster } from '../cluster/cluster.ts';
import { SHARED_CLUSTER } from './shared.ts';

export default async function teardown(): Promise<void> {
  await Cluster.find(SHARED_CLUSTER)?.down();
}
