import type { Cluster } from '../cluster/cluster.ts';
import { get } from '../cluster/api.ts';
import type { Stage } from '../storm/stage.ts';
import type { Result, Row } from './result.ts';

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

/** What was counted before and after, and what was written into statuses meanwhile, by its kind. */
export interface Span {
  readonly counted: readonly [Counted, Counted];
  readonly writes: ReadonlyMap<string, number>;
}

/** While this takes its time. */
export async function within(
  { cluster, statuses }: Pick<Stage, 'cluster' | 'statuses'>,
  time: () => Promise<unknown>,
): Promise<Span> {
  const before = await countedBy(cluster);
  statuses.takeWrites();
  await time();
  const writes = statuses.takeWrites();
  return { counted: [before, await countedBy(cluster)], writes };
}

const most = 12;
const headings = { requests: 'requests', events: 'events of watches' } as const;

/** Of each a second, the most frequent first. */
export function rates(setting: string, { counted, writes }: Span): Result[] {
  const [before, after] = counted;
  const seconds = (after.atMs - before.atMs) / 1000;
  const rows = (of: keyof typeof headings) =>
    between(of, counted)
      .map(([what, { times, bytes }]): Row => {
        return { what, figures: { 'a second': times / seconds, 'KiB a second': bytes / 1024 / seconds } };
      })
      .filter(({ figures }) => (figures['a second'] ?? 0) >= 0.05)
      .sort((a, b) => (b.figures['a second'] ?? 0) - (a.figures['a second'] ?? 0))
      .slice(0, most);
  const cores = (after.cpuS - before.cpuS) / seconds;
  const server = { what: 'API server', figures: { '% of a core': cores * 100, 'RSS MiB': mib(after.rss) } };
  const kinds = [...writes].map(([what, times]) => ({ what, figures: { 'a second': times / seconds } }));
  return [
    { bench: 'scale', setting: `${setting}: ${headings.requests}`, rows: [...rows('requests'), server] },
    { bench: 'scale', setting: `${setting}: ${headings.events}`, rows: rows('events') },
    { bench: 'scale', setting: `${setting}: statuses written, by what was new in them`, rows: kinds },
  ];
}

/** Of each how many and how many bytes, the most bytes first. */
export function totals(setting: string, pair: Span['counted']): Result[] {
  return (['requests', 'events'] as const).map((of) => ({
    ...{ bench: 'scale', setting: `${setting}: ${headings[of]}` },
    rows: between(of, pair)
      .sort(([, a], [, b]) => b.bytes - a.bytes || b.times - a.times)
      .slice(0, most)
      .map(([what, { times, bytes }]) => ({ what, figures: { times, MiB: mib(bytes) } })),
  }));
}

function between(of: keyof typeof headings, [before, after]: Span['counted']): [string, Tally][] {
  return [...after[of]]
    .map(([key, { times, bytes }]): [string, Tally] => {
      const earlier = before[of].get(key) ?? { times: 0, bytes: 0 };
      return [key, { times: times - earlier.times, bytes: bytes - earlier.bytes }];
    })
    .filter(([, { times }]) => times > 0);
}

const words = (...all: readonly string[]) => all.filter((one) => one !== '').join(' ');
export const mib = (bytes: number) => bytes / 2 ** 20;
