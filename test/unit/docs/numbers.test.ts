import { readFileSync, globSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { keepaliveSchema } from '../../../src/api/keepalive.ts';
import { controllerConfig, readConfig } from '../../../src/ops/config.ts';
import { createMetrics } from '../../../src/ops/metrics.ts';
import { deriveTriple, lastProbeSeconds } from '../../../src/policy/derive.ts';
import { replicaSetRows } from '../../scenario/replica-set.ts';
import { Page } from './page.ts';

const values = new Page('docs/values.md');
const install = new Page('docs/install.md');

/** What a row of docs/values.md says of T seconds and declared values. */
function rowOf(seconds: string, declared: string): string[] {
  const keepalive = keepaliveSchema.parse(parse(`{${declared}}`));
  const triple = deriveTriple(Number(seconds), keepalive);
  if (triple === undefined) throw new Error(`${declared} does not stay under ${seconds}`);
  const { timeSeconds, intervalSeconds, probes } = triple;
  return [
    `${timeSeconds} / ${intervalSeconds} / ${probes}`,
    String(lastProbeSeconds(triple)),
    String(timeSeconds + intervalSeconds * probes),
  ];
}

describe('docs/values.md', () => {
  test.each(values.tableAfter('values: derived'))('T = %s gives %s', (seconds = '', ...told) => {
    expect(told).toEqual(rowOf(seconds, ''));
  });

  test.each(values.tableAfter('values: declared'))(
    'T = %s with %s gives %s',
    (seconds = '', declared = '', ...told) => {
      expect(told).toEqual(rowOf(seconds, declared));
    },
  );
});

describe('docs/values.md and the scenario mongodb', () => {
  const numbers = (cells: readonly string[]) => cells.map((cell) => cell.replaceAll('*', ''));

  test('name the same three values for a replica set', () => {
    const told = values.tableAfter('Short answer').map((cells) => numbers(cells.slice(2)));
    expect(told.length).toBeGreaterThan(0);
    const advised = replicaSetRows.map(({ values, firstAndLast }) => [values, firstAndLast.join(', ')]);
    expect(advised).toEqual(told);
  });
});

describe('docs/install.md', () => {
  const namesIn = (mark: string, column = 0) =>
    install.tableAfter(mark).map((cells) => (cells[column] ?? '').replaceAll('`', ''));

  test('lists every metric of ours with its labels', () => {
    const metrics = createMetrics({
      version: '',
      component: '',
      queueDepth: () => 0,
      leading: () => true,
      reflectors: () => [],
    });
    const registered = metrics.registry.getMetricsAsArray().map(({ name }) => name);
    expect(namesIn('## Metrics').sort()).toEqual(
      registered.filter((name) => name.startsWith('keepalive_')).sort(),
    );
  });

  test('lists every setting of the controller with its default', () => {
    const fields = Object.keys(controllerConfig.shape);
    const variableOf = (field: string) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    expect(namesIn('### Settings of the controller').sort()).toEqual(fields.map(variableOf).sort());
    const { logLevel, concurrency, leaseName, podNamespace, metricsAddress } = readConfig(
      controllerConfig,
      {},
    );
    const told = Object.fromEntries(
      install.tableAfter('### Settings of the controller').map(([name = '', value = '']) => [name, value]),
    );
    expect(told).toMatchObject({
      '`LOG_LEVEL`': `\`${logLevel}\``,
      '`CONCURRENCY`': `\`${concurrency}\``,
      '`LEASE_NAME`': `\`${leaseName}\``,
      '`POD_NAMESPACE`': `\`${podNamespace}\``,
      '`METRICS_ADDRESS`': `\`${metricsAddress.host}:${metricsAddress.port}\``,
    });
  });

  test('explains every reason that a status or an event can have, and no other', () => {
    const root = join(import.meta.dirname, '../../..');
    const sources = globSync('src/{policy,controller}/*.ts', { cwd: root }).map((path) =>
      readFileSync(join(root, path), 'utf8'),
    );
    const said = new Set(
      sources.flatMap((text) => [...text.matchAll(/reason: '([A-Z]\w+)'/g)].map(([, reason]) => reason)),
    );
    const explained = [...namesIn('### Conditions', 1), ...namesIn('### Findings'), 'BindingRepaired'].filter(
      (name) => name !== '',
    );
    expect(install.text).toContain('`BindingRepaired`');
    expect(explained.sort()).toEqual([...said].sort());
  });
});
