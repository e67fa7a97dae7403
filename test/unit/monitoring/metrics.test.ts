import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import type { KindName } from '../../../src/api/group.ts';
import { plurals } from '../../../src/api/group.ts';
import { createAgentMetrics } from '../../../src/ops/agent-metrics.ts';
import { alerts } from '../../../scripts/monitoring/alert.ts';
import { catalogue } from '../../../scripts/monitoring/catalogue.ts';
import { kubeStateMetrics } from '../../../scripts/monitoring/kube-state.ts';
import { dashboards } from '../../../scripts/monitoring/dashboard.ts';
import { Page } from '../docs/page.ts';

const metrics = new Map(catalogue().map((metric) => [metric.name, metric]));
const page = new Page('docs/metrics.md');

test('the page has every metric once, with its type and labels', () => {
  const told = page.tableAfter('## Metrics of the operator').map((cells) => cells.slice(0, 4));
  const plain = told.map((cells) => cells.map((cell) => cell.replaceAll('`', '')));
  expect(plain).toEqual(
    [...metrics.values()].map(({ name, type, of, labels }) => [name, type, of, labels.join(', ')]),
  );
  expect(new Set(plain.map(([name]) => name)).size).toBe(plain.length);
});

test('what an agent gives to who scrapes it has no series that the page lacks', async () => {
  const agent = createAgentMetrics({ version: '0', places: () => 1, reflectors: () => [] });
  agent.requested({ verb: 'get', code: 200 });
  const named = (await agent.registry.metrics()).matchAll(/^# TYPE (keepalive_\w+) (\w+)$/gm);
  const given = [...named].map(([, name = '', type]) => [name, type]);
  expect(given.length).toBeGreaterThan(10);
  expect(given).toEqual(given.map(([name = '']) => [name, metrics.get(name)?.type]));
});

test('what kube-state-metrics may read is said, of every kind that its file has', () => {
  const [rule = ''] = page.blocks('yaml', 'What else tells');
  const said = parse(rule) as readonly { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  const asked = kubeStateMetrics().spec.resources.map(({ groupVersionKind }) => groupVersionKind.kind);
  const resources = asked.map((kind) => plurals[kind as KindName]);
  expect(said).toEqual([
    { apiGroups: ['keepalive.dev'], resources, verbs: ['list', 'watch'] },
    {
      apiGroups: ['apiextensions.k8s.io'],
      resources: ['customresourcedefinitions'],
      verbs: ['list', 'watch'],
    },
  ]);
});

const queries = [
  ...alerts.map(({ name, expr }) => [name, expr] as const),
  ...dashboards.flatMap(({ rows }) =>
    Object.values(rows)
      .flat()
      .flatMap(({ title, queries }) => queries.map(({ expr }) => [title, expr] as const)),
  ),
];

/** As a histogram or a summary is written out. */
function written(name: string): string[] {
  const type = metrics.get(name)?.type;
  if (type === 'histogram') return ['_bucket', '_sum', '_count'].map((end) => name + end);
  return type === 'summary' ? [`${name}_sum`, `${name}_count`] : [name];
}
const series = new Map([...metrics.keys()].flatMap((name) => written(name).map((one) => [one, name])));

describe('a query', () => {
  test.each(queries)('of %s asks for metrics that are there: %s', (_, expr) => {
    const asked = expr.match(/\b(keepalive|process)_\w+/g) ?? [];
    expect(asked.length).toBeGreaterThan(0);
    for (const name of asked.filter((one) => one.startsWith('keepalive_')))
      expect(series.has(name)).toBe(true);
  });

  test.each(queries)('of %s selects by labels that these have: %s', (_, expr) => {
    for (const [, name = '', matchers = ''] of expr.matchAll(/\b(keepalive_\w+)\{([^}]*)\}/g)) {
      const labels = [...matchers.matchAll(/(\w+)(?:=~?|!=|!~)"/g)].map(([, label]) => label);
      expect(metrics.get(series.get(name) ?? '')?.labels).toEqual(expect.arrayContaining(labels));
    }
  });
});
