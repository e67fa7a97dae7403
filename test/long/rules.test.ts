import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { Alert } from '../../scripts/monitoring/alert.ts';
import { alerts, runbookOf } from '../../scripts/monitoring/alert.ts';
import { repository } from '../cluster/place.ts';
import { buildMs } from '../support/helm.ts';
import { buildPrometheus, promtool } from '../support/promtool.ts';
import { operatorCases } from './operator-rule-cases.ts';
import { policyCases } from './policy-rule-cases.ts';
import type { RuleCase } from './rule-case.ts';

const rules = join(repository, 'deploy/monitoring/alerts.yaml');
const folder = mkdtempSync(join(tmpdir(), 'rules-'));

beforeAll(buildPrometheus, buildMs);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('promtool finds nothing wrong with the rules, nor anything to warn of', async () => {
  const said = await promtool('check', 'rules', '--lint=all', '--lint-fatal', rules);
  expect(said).toContain(`SUCCESS: ${alerts.length} rules found`);
});

function alertOf({ alert }: RuleCase): Alert {
  const found = alerts.find(({ name }) => name === alert);
  if (found === undefined) throw new Error(`there is no alert ${alert}`);
  return found;
}

/** What fires, in whole: labels, words and the way to the runbook. */
function expectedOf(one: RuleCase): readonly object[] {
  if (one.fires === undefined) return [];
  const alert = alertOf(one);
  const { labels, summary } = one.fires;
  return [
    {
      exp_labels: { ...labels, severity: alert.severity },
      exp_annotations: { summary, description: alert.description, runbook: runbookOf(alert) },
    },
  ];
}

async function judge(one: RuleCase): Promise<string> {
  const file = join(folder, 'case.yaml');
  const suite = {
    rule_files: [rules],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(one.series).map(([series, values]) => ({ series, values })),
        alert_rule_test: [{ eval_time: `${one.at}m`, alertname: one.alert, exp_alerts: expectedOf(one) }],
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(suite));
  return promtool('test', 'rules', file);
}

describe.each(alerts)('$name', ({ name }) => {
  const cases = [...policyCases, ...operatorCases].filter(({ alert }) => alert === name);

  test('is tried where it has to fire, and where it must not', () => {
    expect(new Set(cases.map(({ fires }) => fires !== undefined))).toEqual(new Set([true, false]));
  });

  const titled = cases.map(
    (one) => [one.fires === undefined ? 'stays quiet' : 'fires', one.when, one] as const,
  );
  test.each(titled)('%s %s', async (_does, _when, one) => {
    expect(await judge(one)).toContain('SUCCESS');
  });
});
