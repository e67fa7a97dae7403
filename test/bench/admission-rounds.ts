import { Agent, request } from 'undici';

import { pathOf } from '../../src/kube/resource.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { crowds } from './admission-crowds.ts';
import type { Row } from './result.ts';
import { latencies } from './result.ts';

export const rounds = 400;
const warmUp = 50;

export interface Scenario {
  readonly what: string;
  readonly run: () => Promise<number>;
}

/**
 * A figure for each scenario, and what it has more than the first of them, which nothing is done to. Each round has all of them, in
 * an order of its own: a slow moment of the machine falls on all, and none follows the costliest more often than another.
 */
export async function inRounds(least: Scenario, scenarios: readonly Scenario[]): Promise<Row[]> {
  const all = [least, ...scenarios];
  const times = new Map(all.map(({ what }) => [what, [] as number[]]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const { what, run } of shuffled(all)) {
      const ms = await run();
      if (round >= 0) times.get(what)?.push(ms);
    }
  }
  const [base, ...rest] = [...times].map(([what, ms]) => ({ what, figures: latencies(ms) }));
  if (base === undefined) return [];
  return [
    base,
    ...rest.map(({ what, figures }) => ({ what, figures: { ...figures, ...more(figures, base.figures) } })),
  ];
}

function more(figures: Row['figures'], base: Row['figures']): Row['figures'] {
  return Object.fromEntries(
    Object.entries(figures)
      .filter(([name]) => name.endsWith(' ms'))
      .map(([name, ms]) => [`+${name}`, ms - (base[name] ?? NaN)]),
  );
}

function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((one) => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

/** Creates pods, in a dry run: all of admission, no storage. Over one connection. */
export class Creator {
  readonly #connection: Agent;

  constructor(cluster: Cluster) {
    const connect = { socketPath: cluster.apiSocket };
    this.#connection = new Agent({ connect, pipelining: 1, connections: 1 });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Milliseconds; throws where the pod was not changed as its crowd is to be. */
  async create(namespace: string, crowd: string): Promise<number> {
    const path = `${pathOf({ group: '', version: 'v1', plural: 'pods', namespace })}?dryRun=All`;
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'bench-', labels: { crowd } },
      spec: { containers: [{ name: 'main', image: 'localhost/tools:1' }] },
    });
    const startedAt = performance.now();
    const response = await request(`http://localhost${path}`, {
      dispatcher: this.#connection,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const text = await response.body.text();
    const ms = performance.now() - startedAt;
    if (response.statusCode !== 201) throw new Error(`${response.statusCode}: ${text}`);
    const changed = text.includes('tcp_keepalive_time');
    if (changed !== crowds.some(({ label }) => label === crowd)) {
      throw new Error(
        `a pod of crowd ${crowd} in ${namespace} was ${changed ? '' : 'not '}changed: the figures would say nothing`,
      );
    }
    return ms;
  }
}
