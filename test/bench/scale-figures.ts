import type { Cluster } from '../cluster/cluster.ts';
import { get } from '../cluster/api.ts';

/** What the API server has counted since it started. */
export interface Counted {
  readonly atMs: number;
  readonly cpuS: number;
  readonly rss: number;
  /** By verb and resource. */
  readonly requests: ReadonlyMap<string, number>;
  /** By kind: what it sent to all watches of the kind together. */
  readonly events: ReadonlyMap<string, number>;
}

export async function countedBy(cluster: Cluster): Promise<Counted> {
  const { body } = await get(cluster.apiSocket, '/metrics');
  const requests = new Map<string, number>();
  const events = new Map<string, number>();
  const add = (to: Map<string, number>, key: string, value: number) =>
    to.set(key, (to.get(key) ?? 0) + value);
  for (const [, name, labels = '', value] of body.matchAll(
    /^(apiserver_request_total|apiserver_watch_events_total)\{([^}]*)\} (\S+)$/gm,
  )) {
    const label = (key: string) => new RegExp(`(?:^|,)${key}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (name === 'apiserver_request_total')
      add(requests, [label('verb'), label('resource'), label('subresource')].join(' ').trim(), Number(value));
    else add(events, label('resource') || label('kind'), Number(value));
  }
  const plain = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1]);
  return {
    ...{ atMs: performance.now(), requests, events },
    ...{ cpuS: plain('process_cpu_seconds_total'), rss: plain('process_resident_memory_bytes') },
  };
}

/** Of each key, how many a second came between two counts; the largest first. */
export function perSecond(
  of: 'requests' | 'events',
  [before, after]: readonly [Counted, Counted],
): [string, number][] {
  const seconds = (after.atMs - before.atMs) / 1000;
  return [...after[of]]
    .map(([key, count]): [string, number] => [key, (count - (before[of].get(key) ?? 0)) / seconds])
    .filter(([, rate]) => rate >= 0.05)
    .sort(([, a], [, b]) => b - a);
}

export const mib = (bytes: number) => bytes / 2 ** 20;
