import { get } from '../cluster/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { memoryIn, memoryOf } from './process-figures.ts';
import type { Row } from './result.ts';

/** Of the API server, after it has collected its garbage: what is live then is what the objects cost that it admits by. */
export async function memoryOfApiServer(cluster: Cluster): Promise<Row['figures']> {
  const { pid } = cluster.component('apiserver');
  if (pid === undefined) throw new Error(`the API server ended: ${cluster.component('apiserver').logPath}`);
  const { body } = await get(cluster.apiSocket, '/debug/pprof/heap?gc=1&debug=1');
  const live = Number(/^# HeapAlloc = (\d+)$/m.exec(body)?.[1]);
  return { ...memoryOf(pid), 'live heap MiB': live / 2 ** 20 };
}

/** Of both replicas. */
export async function memoryOfControllers(cluster: Cluster): Promise<Row['figures'][]> {
  const script = `for pid in $(pgrep -f 'main.mjs controller$'); do cat /proc/$pid/status; echo; done`;
  const told = await Promise.all(cluster.nodes.map((node) => cluster.onNode(node, script)));
  return told
    .flatMap((text) => text.split('\n\n').filter((status) => status.includes('VmRSS')))
    .map(memoryIn);
}
