import { beforeAll, expect, test } from '@jest/globals';

import { buildHelms, buildMs, rendered } from '../support/helm.ts';
import { byTitle, changes } from '../support/manifest.ts';

beforeAll(buildHelms, buildMs);

const deployment = 'Deployment keepalive-system/keepalive-controller';
const container = `${deployment}.spec.template.spec.containers.0`;
const annotation = `${deployment}.spec.template.metadata.annotations.prometheus.io/port`;

const objects = async (...values: readonly string[]) =>
  byTitle(
    await rendered(
      'Helm 4',
      values.flatMap((value) => ['--set-json', value]),
    ),
  );
const byWebhook = 'admission="webhook"';

test('a port of the metrics is where the controller listens, and where Prometheus asks', async () => {
  const [before, after] = [await objects(), await objects('controller.metricsPort=18080')];
  expect(changes(before, after)).toEqual({
    [`${container}.ports.0.containerPort`]: [8080, 18_080],
    [`${container}.env.2`]: [undefined, { name: 'METRICS_ADDRESS', value: '[::]:18080' }],
    [annotation]: ['8080', '18080'],
  });
});

test('unless users say where it asks', async () => {
  const values = ['controller.podAnnotations={"prometheus.io/port":"15020"}', 'controller.metricsPort=18080'];
  const found = changes(await objects(), await objects(...values));
  expect(found[annotation]).toEqual(['8080', '15020']);
});

test('a port of the webhook is where the controller listens, and the Service leads there by its name', async () => {
  const [before, after] = [
    await objects(byWebhook),
    await objects(byWebhook, 'controller.webhookPort=10443'),
  ];
  expect(changes(before, after)).toEqual({
    [`${container}.ports.1.containerPort`]: [9443, 10_443],
    [`${container}.env.3`]: [undefined, { name: 'WEBHOOK_ADDRESS', value: '[::]:10443' }],
  });
  expect(after['Service keepalive-system/keepalive-webhook']).toMatchObject({
    spec: { ports: [{ targetPort: 'webhook' }] },
  });
});

test('and nothing where there is no webhook', async () => {
  const [before, after] = [await objects(), await objects('controller.webhookPort=10443')];
  expect(changes(before, after)).toEqual({});
});

test('variables of users go before both', async () => {
  const variables = [
    { name: 'METRICS_ADDRESS', value: '127.0.0.1:18080' },
    { name: 'WEBHOOK_ADDRESS', value: '10.0.0.1:10443' },
  ];
  const ports = ['controller.metricsPort=18080', 'controller.webhookPort=10443'];
  const own = `controller.extraEnv=${JSON.stringify(variables)}`;
  const found = changes(await objects(byWebhook, ...ports), await objects(byWebhook, ...ports, own));
  expect(found).toEqual({
    [`${container}.env.3.value`]: ['[::]:18080', '127.0.0.1:18080'],
    [`${container}.env.4.value`]: ['[::]:10443', '10.0.0.1:10443'],
  });
});
