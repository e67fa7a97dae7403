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
  expect(Object.keys(plain)).toHaveLength(4);
  for (const [title, { metadata, ...content }] of Object.entries(plain)) {
    expect(objects[title]).toMatchObject(content);
    expect(objects[title]?.metadata.labels).toMatchObject({
      'app.kubernetes.io/name': 'keepalive-operator',
      ...(title.startsWith('ConfigMap') ? { grafana_dashboard: 'yes' } : { release: 'prometheus' }),
    });
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'keepalive-operator' });
  }
});

test('a PodMonitor finds both where they are, as often as it is told', async () => {
  const args = [...watched, ...set('podMonitor.interval', '10s'), ...set('agent.namespace', 'nodes')];
  const objects = byTitle(await rendered(only, args, 'platform'));
  expect(objects['PodMonitor platform/keepalive-operator']).toMatchObject({
    spec: {
      selector: { matchLabels: { 'app.kubernetes.io/name': 'keepalive-operator' } },
      namespaceSelector: { matchNames: ['platform', 'nodes'] },
      podMetricsEndpoints: [{ port: 'http', interval: '10s' }],
    },
  });
});
