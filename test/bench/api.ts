import type { Cluster } from '../cluster/cluster.ts';
import { ApiClient } from '../../src/kube/client.ts';
import { plain } from '../../src/kube/connection.ts';

/** The API as administrator, over one pool of connections. */
export function apiOf(cluster: Cluster): ApiClient {
  return new ApiClient(plain('http://localhost', cluster.apiSocket));
}

/** Runs `work` on every item, so many at a time. */
export async function each<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
