import { join } from 'node:path';

import { beforeAll, expect, test } from '@jest/globals';

import { repository } from '../cluster/place.ts';
import { buildHelms, buildMs, rendered } from '../support/helm.ts';
import { built, kustomizeProgram } from '../support/kustomize.ts';
import { byTitle } from '../support/manifest.ts';

beforeAll(async () => {
  await buildHelms();
  await kustomizeProgram();
}, buildMs);

const only = 'Helm 4';
const set = (value: string, what: unknown) => ['--set-json', `${value}=${JSON.stringify(what)}`];
const watched = [
  ...['podMonitor', 'prometheusRule', 'dashboards'].flatMap((part) => set(`${part}.enabled`, true)),
  ...['podMonitor', 'prometheusRule'].flatMap((part) => set(`${part}.labels`, { release: 'prometheus' })),
  ...set('dashboards.labels', { grafana_dashboard: 'yes' }),
];

test('what watches it is the same as that of deploy/monitoring, with the labels that it is found by', async () => {
  const plain = byTitle(await built(join(repository, 'deploy/monitoring')));
  const objects = byTitle(await rendered(only, watched));
  expect(Object.keys(plain)).toHaveLength(5);
  for (const [title, { metadata, ...content }] of Object.entries(plain)) {
    expect(objects[title]).toMatchObject(content);
    expect(objects[title]?.metadata.labels).toMatchObject({
      'app.kubernetes.io/name': 'keepalive-operator',
      ...(title.startsWith('ConfigMap') ? { grafana_dashboard: 'yes' } : { release: 'prometheus' }),
    });
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'keepalive-operator' });
  }
});

test('a PodMonitor finds each where it is, as often as it is told', async () => {
  const args = [...watched, ...set('podMonitor.interval', '10s'), ...set('agent.namespace', 'nodes')];
  const objects = byTitle(await rendered(only, args, 'platform'));
  const monitoring = (component: string) => ({
    spec: {
      selector: {
        matchLabels: {
          'app.kubernetes.io/name': 'keepalive-operator',
          'app.kubernetes.io/component': component,
        },
      },
      podMetricsEndpoints: [{ port: 'http', interval: '10s' }],
    },
  });
  expect(objects['PodMonitor platform/keepalive-operator']).toEqual(
    expect.objectContaining(monitoring('controller')),
  );
  expect(objects['PodMonitor nodes/keepalive-agent']).toEqual(expect.objectContaining(monitoring('agent')));
});

test('without agents there is no PodMonitor for them', async () => {
  const objects = byTitle(await rendered(only, [...watched, ...set('agent.enabled', false)]));
  expect(Object.keys(objects).filter((title) => title.startsWith('PodMonitor'))).toEqual([
    'PodMonitor keepalive-system/keepalive-operator',
  ]);
});
