import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { buildHelms, buildMs, chart, helm, helmNames, renderedText } from '../support/helm.ts';
import { chartValues } from '../support/renderings.ts';
import { scalarsIn, strictly, variablesOf } from '../support/strictly.ts';

beforeAll(buildHelms, buildMs);

const json = (name: string, what: unknown) => ['--set-json', `${name}=${JSON.stringify(what)}`];
const everything = chartValues['everything switched on'] ?? [];

const theirs = {
  'app.kubernetes.io/part-of': 'platform',
  'app.kubernetes.io/name': 'foo',
  'app.kubernetes.io/component': 'foo',
  'app.kubernetes.io/managed-by': 'foo',
  'pod-security.kubernetes.io/enforce': 'restricted',
  owner: 'net',
};

describe.each(helmNames)('what %s renders', (name) => {
  test.each(Object.entries(chartValues))('has no key and no variable twice, with %s', async (_what, args) => {
    expect(strictly(await renderedText(name, args)).length).toBeGreaterThan(20);
  });

  test('keeps labels that are ours, and has every other as users want it', async () => {
    const parts = ['podMonitor', 'prometheusRule', 'dashboards'];
    const found = parts.flatMap((part) => json(`${part}.labels`, { ...theirs, owner: part }));
    const args = [...everything, ...json('commonLabels', theirs), ...found];
    const objects = strictly(await renderedText(name, args));
    for (const { metadata } of objects)
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'keepalive-operator',
        'app.kubernetes.io/managed-by': 'Helm',
        'app.kubernetes.io/part-of': 'platform',
      });
    const labelsOf = (kind: string) => objects.find((one) => one.kind === kind)?.metadata.labels;
    expect(labelsOf('Namespace')?.['pod-security.kubernetes.io/enforce']).toBe('privileged');
    expect(labelsOf('Deployment')?.['app.kubernetes.io/component']).toBe('controller');
    expect(['PodMonitor', 'PrometheusRule', 'Role'].map((kind) => labelsOf(kind)?.owner)).toEqual([
      'podMonitor',
      'prometheusRule',
      'net',
    ]);
  });

  test.each([
    ['Deployment', 'controller'],
    ['DaemonSet', 'agent'],
  ])('keeps the labels by which pods of the %s are selected', async (kind, part) => {
    const objects = strictly(await renderedText(name, json(`${part}.podLabels`, theirs)));
    expect(objects.find((one) => one.kind === kind)).toMatchObject({
      spec: {
        template: {
          metadata: {
            labels: {
              ...theirs,
              'app.kubernetes.io/name': 'keepalive-operator',
              'app.kubernetes.io/component': part,
            },
          },
        },
      },
    });
  });

  test('has a variable that users set once, as they set it', async () => {
    const mine = (...names: readonly string[]) => names.map((one) => ({ name: one, value: 'mine' }));
    const controller = mine('POD_NAME', 'POD_NAMESPACE', 'AGENT_NAMESPACE', 'ADMISSION');
    const agent = mine('NODE_NAME', 'POD_NAME', 'POD_NAMESPACE', 'NODE_OPTIONS', 'SETTINGS_NAMESPACE');
    const args = ['--set', 'admission=both', '--set', 'agent.namespace=nodes'];
    const set = [...json('controller.extraEnv', controller), ...json('agent.extraEnv', agent)];
    const objects = strictly(await renderedText(name, [...args, ...set], 'platform'));
    expect(objects.flatMap(variablesOf).sort(byName)).toEqual([...controller, ...agent].sort(byName));
  });

  test('holds names that look like numbers as texts', async () => {
    const args = [
      ...['--kube-version', '1.37.0', '--set', 'admission=both', ...everything],
      ...[...json('agent.namespace', '8383'), ...json('controller.priorityClassName', '9393')],
      ...[...json('podMonitor.interval', '5353'), ...json('commonLabels', { owner: '6363' })],
    ];
    const objects = strictly(await helm(name, ['template', '4242', chart, '--namespace', '7373', ...args]));
    const found = objects.flatMap(scalarsIn);
    for (const text of ['4242', '7373', '8383', '9393', '5353', '6363']) {
      expect(found).toContain(text);
      expect(found).not.toContain(Number(text));
    }
  });

  test.each([
    ['of a chart that has it as a part', true],
    ['of a chart that has switched this part off', false],
  ])('is, or is not, a part %s', async (_what, enabled) => {
    const parent = mkdtempSync(join(tmpdir(), 'keepalive-parent-'));
    try {
      const condition = 'keepalive-operator.enabled';
      const dependencies = [{ name: 'keepalive-operator', version: '>=0.0.0-0', condition }];
      const about = { apiVersion: 'v2', name: 'platform', version: '1.0.0', dependencies };
      writeFileSync(join(parent, 'Chart.yaml'), JSON.stringify(about));
      cpSync(chart, join(parent, 'charts/keepalive-operator'), { recursive: true });
      const set = ['--set', `${condition}=${enabled}`];
      const text = await helm(name, ['template', 'platform', parent, '--kube-version', '1.37.0', ...set]);
      expect(text.includes('kind: DaemonSet')).toBe(enabled);
    } finally {
      rmSync(parent, { recursive: true });
    }
  });
});

const byName = (a: { readonly name: string }, b: { readonly name: string }) => a.name.localeCompare(b.name);
