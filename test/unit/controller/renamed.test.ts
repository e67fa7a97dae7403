import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { Controller } from '../../../src/controller/controller.ts';
import { assertWebhookNotRenamed } from '../../../src/controller/renamed.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { RequirementError } from '../../../src/kube/requirement.ts';
import { controllerConfig, readConfig } from '../../../src/ops/config.ts';
import { createControllerMetrics } from '../../../src/ops/controller-metrics.ts';
import { createLog } from '../../../src/ops/log.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { quiet } from './quiet-metrics.ts';

const list = (...names: readonly string[]) =>
  json({ metadata: { resourceVersion: '5' }, items: names.map((name) => ({ metadata: { name } })) });
const forbidden = status(403, 'Forbidden');
const log = createLog({ level: 'silent', base: {} });
const { signal } = new AbortController();

let server: FakeApiServer;
let client: ApiClient;
beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
});
afterEach(async () => {
  await client.close();
  await server.close();
});

describe('the configuration of the webhook', () => {
  const looked = (patience: number, ...answers: Answer[]) => {
    server.answers(...answers);
    return assertWebhookNotRenamed(client, 'home', { log, signal, patience });
  };

  test('that is there under its name is no reason to end, whatever else may not be read', async () => {
    await looked(0, list('pods.keepalive.dev'));
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    ]);
  });

  test.each([
    ['and is not there yet, or was deleted, which a status tells', list('keepalive-settings')],
    ['and is not there yet, nor are the settings', list()],
  ])('%s, is none either', async (_sentence, settings) => {
    await looked(0, list(), settings);
    expect(server.asked.map(({ query }) => query['fieldSelector'])).toEqual([
      'metadata.name=pods.keepalive.dev',
      'metadata.name=keepalive-settings',
    ]);
    expect(server.asked[1]?.path).toBe('/api/v1/namespaces/home/configmaps');
  });

  test('that has another name, as the settings in the rights have, is told, with what to do', async () => {
    const asked = looked(0, list(), forbidden);
    await expect(asked).rejects.toThrow(RequirementError);
    await expect(asked).rejects.toThrow('docs/install.md, "An overlay that renames", has one');
  });

  test('is asked for again where rights are a moment behind', async () => {
    await looked(1, list(), forbidden, list(), list('keepalive-settings'));
    expect(server.asked).toHaveLength(4);
  });
});

test('a controller that an overlay has renamed with all that the webhook needs says so and ends', async () => {
  server.otherwise = (response, asked) => {
    const isSettings = asked.path.endsWith('/configmaps');
    return (isSettings ? forbidden : list())(response, asked);
  };
  const controller = new Controller({
    ...{ client, log, signal, admission: { mode: 'webhook', servesPolicies: false } },
    config: readConfig(controllerConfig, { WEBHOOK_ADDRESS: '127.0.0.1:0' }),
    metrics: createControllerMetrics(quiet),
  });
  await expect(controller.run()).rejects.toThrow('an overlay has renamed them');
  await controller.close();
});
