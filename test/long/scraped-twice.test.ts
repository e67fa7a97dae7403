import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { alerts } from '../../scripts/monitoring/alert.ts';
import type { Metric } from '../../scripts/monitoring/catalogue.ts';
import { catalogue } from '../../scripts/monitoring/catalogue.ts';
import { dashboards } from '../../scripts/monitoring/dashboard.ts';
import { buildMs } from '../support/helm.ts';
import { buildPrometheus, promtool } from '../support/promtool.ts';

/** What Node tells of itself, and the catalogue leaves out. */
const ofProcess = ['process_resident_memory_bytes', 'process_cpu_seconds_total'];
const folder = mkdtempSync(join(tmpdir(), 'scraped-'));

beforeAll(buildPrometheus, buildMs);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Names of the series of a metric, with what of their labels is told by its type, and how they go on. */
function seriesOf({
  name,
  type,
}: Pick<Metric, 'name' | 'type'>): (readonly [name: string, values: string])[] {
  const sums = [`${name}_sum`, `${name}_count`].map((one) => [`${one}{`, '0+60x30'] as const);
  const buckets = [1, 2, '+Inf'].map(
    (le, at) => [`${name}_bucket{le="${le}",`, `0+${20 * (at + 1)}x30`] as const,
  );
  if (type === 'histogram') return [...sums, ...buckets];
  if (type === 'summary') return sums;
  return [[`${name}{`, type === 'counter' ? '0+60x30' : '1x30']];
}

/** Values of labels that are asked about by name. */
const asked: Readonly<Record<string, readonly string[]>> = {
  type: ['Ready', 'Stalled', 'Covered'],
  outcome: ['failed', 'done'],
  answer: ['silent', 'seen'],
  reason: ['ReportTooLong', 'NoAgent'],
};

/** Each way to set all labels. */
function settings(labels: readonly string[]): string[][] {
  const [label, ...rest] = labels;
  if (label === undefined) return [[]];
  return (asked[label] ?? ['x']).flatMap((value) =>
    settings(rest).map((others) => [`${label}="${value}"`, ...others]),
  );
}

/** Of two processes, which the given jobs find. */
function scrapedBy(jobs: readonly string[], world: string): object[] {
  const metrics = [
    ...catalogue(),
    ...ofProcess.map((name) => ({ name, type: 'counter' as const, labels: [] })),
  ];
  const targets = jobs.flatMap((job) =>
    ['a', 'b'].map((pod) => `pod="${pod}",instance="${pod}",job="${job}",world="${world}"`),
  );
  return metrics.flatMap((metric) =>
    seriesOf(metric).flatMap(([start, values]) =>
      settings(metric.labels).flatMap((own) =>
        targets.map((target) => ({ series: `${start}${[...own, target].join(',')}}`, values })),
      ),
    ),
  );
}

const series = [...scrapedBy(['annotations'], 'once'), ...scrapedBy(['annotations', 'PodMonitor'], 'twice')];

/** The same question about one of the two worlds. */
const about = (expr: string, world: string) =>
  expr.replaceAll(/\b(?:keepalive|process)_\w+\{?/g, (name) =>
    name.endsWith('{') ? `${name}world="${world}", ` : `${name}{world="${world}"}`,
  );

/** Nothing where both worlds answer the same. */
async function difference(expr: string): Promise<string> {
  const [once, twice] = [about(expr, 'once'), about(expr, 'twice')];
  const suite = {
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series,
        promql_expr_test: [
          {
            expr: `count((${once}) == (${twice})) / count(${once})`,
            eval_time: '20m',
            exp_samples: [{ labels: '{}', value: 1 }],
          },
        ],
      },
    ],
  };
  const file = join(folder, 'case.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(suite));
  return promtool('test', 'rules', file);
}

const asGrafanaAsks = (expr: string) =>
  expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|policy)/g, '.*');

describe('where two jobs scrape the same process, as by the annotations of its pod and by a PodMonitor', () => {
  /** Of an alert, what it compares: most have nothing to say here. */
  const withoutBounds = (expr: string) =>
    expr
      .replaceAll(/ (?:[<>]=?|!=|==) (?:[\d.]+ \* max by \(cluster\) \(\w+\)|[\d *]+)(?!\S)/g, '')
      .replaceAll(' unless on ', ' and on ');
  const compared = alerts.map(({ name, expr }) => [name, withoutBounds(expr)] as const);
  test.each(compared)('%s counts it once: %s', async (_name, expr) => {
    expect(await difference(expr)).toContain('SUCCESS');
  });

  const queries = dashboards.flatMap(({ rows }) =>
    Object.values(rows).flatMap((panels) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ expr }) => [title, asGrafanaAsks(expr)] as const),
      ),
    ),
  );
  test.each(queries)('the panel %s counts it once: %s', async (_title, expr) => {
    expect(await difference(expr)).toContain('SUCCESS');
  });
});
