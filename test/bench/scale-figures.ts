import type { Cluster } from '../cluster/cluster.ts';
import { get } from '../cluster/api.ts';

/** How often something was, and how many bytes were sent for it. */
interface Tally {
  readonly times: number;
  readonly bytes: number;
}

/** What the API server has counted since it started. */
export interface Counted {
  readonly atMs: number;
  readonly cpuS: number;
  readonly rss: number;
  /** By verb and resource. */
  readonly requests: ReadonlyMap<string, Tally>;
  /** By kind: what it sent to all watches of the kind together. */
  readonly events: ReadonlyMap<string, Tally>;
}

/** Which part of what is counted a metric of the API server is. */
const parts = {
  apiserver_request_total: { of: 'requests', what: 'times' },
  // A watch has no size of its own: what it sends are events.
  apiserver_response_sizes_sum: { of: 'requests', what: 'bytes' },
  apiserver_watch_events_total: { of: 'events', what: 'times' },
  apiserver_watch_events_sizes_sum: { of: 'events', what: 'bytes' },
} as const;

export async function countedBy(cluster: Cluster): Promise<Counted> {
  const { body } = await get(cluster.apiSocket, '/metrics');
  const counted = { requests: new Map<string, Tally>(), events: new Map<string, Tally>() };
  const lines = new RegExp(`^(${Object.keys(parts).join('|')})\\{([^}]*)\\} (\\S+)$`, 'gm');
  for (const [, name, labels = '', value] of body.matchAll(lines)) {
    const { of, what } = parts[name as keyof typeof parts];
    const label = (key: string) => new RegExp(`(?:^|,)${key}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const key =
      of === 'requests'
        ? words(label('verb'), label('resource'), label('subresource'), label('dry_run') && '(dry run)')
        : label('resource') || label('kind');
    const before = counted[of].get(key) ?? { times: 0, bytes: 0 };
    counted[of].set(key, { ...before, [what]: before[what] + Number(value) });
  }
  const plain = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1]);
  return {
    ...{ atMs: performance.now(), ...counted },
    ...{ cpuS: plain('process_cpu_seconds_total'), rss: plain('process_resident_memory_bytes') },
  };
}

/** Of each key, how many and how many bytes a second came between two counts; the most frequent first. */
export function perSecond(
  of: 'requests' | 'events',
  [before, after]: readonly [Counted, Counted],
): [string, Tally][] {
  const seconds = (after.atMs - before.atMs) / 1000;
  return [...after[of]]
    .map(([key, { times, bytes }]): [string, Tally] => {
      const earlier = before[of].get(key) ?? { times: 0, bytes: 0 };
      return [key, { times: (times - earlier.times) / seconds, bytes: (bytes - earlier.bytes) / seconds }];
    })
    .filter(([, { times }]) => times >= 0.05)
    .sort(([, a], [, b]) => b.times - a.times);
}

/** Of each key, how many and how many bytes since the API server started; the most bytes first. */
export function sinceStart(of: 'requests' | 'events', counted: Counted): [string, Tally][] {
  return [...counted[of]].sort(([, a], [, b]) => b.bytes - a.bytes || b.times - a.times);
}

const words = (...all: readonly string[]) => all.filter((one) => one !== '').join(' ');
export const mib = (bytes: number) => bytes / 2 ** 20;
