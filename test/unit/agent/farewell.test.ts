import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { Word } from '../../../src/agent/farewell.ts';
import { isUninstalled } from '../../../src/agent/farewell.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, hang, json, status } from '../../support/api-server.ts';

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

const daemonSet = (metadata: object) => json({ metadata: { name: 'keepalive-agent', ...metadata } });
const kinds = (...names: string[]) => json({ resources: names.map((name) => ({ name })) });

test.each<[string, Answer[], Word]>([
  ['the DaemonSet is there: another agent follows', [daemonSet({})], false],
  ['the DaemonSet is going', [daemonSet({ deletionTimestamp: '2026-01-01T00:00:00Z' })], true],
  ['the DaemonSet is gone', [status(404, 'NotFound')], true],
  [
    'the token is not known: of the service account, or of the pod',
    [status(401, 'Unauthorized')],
    'unauthorized',
  ],
  ['the role is gone, and the kinds with it', [status(403, 'Forbidden'), status(404, 'NotFound')], true],
  ['the role is gone, and no kind is left', [status(403, 'Forbidden'), kinds()], true],
  [
    'the role is gone, and the kinds are still there',
    [status(403, 'Forbidden'), kinds('nodekeepalives')],
    'unknown',
  ],
  ['the API server is in trouble', [status(500, 'InternalError')], 'unknown'],
  ['the API server does not answer', [hang], 'unknown'],
  ['the role is gone, then the API server does not answer', [status(403, 'Forbidden'), hang], 'unknown'],
])('%s', async (_sentence, answers, uninstalled) => {
  server.answers(...answers);
  const installation = { namespace: 'keepalive-agent', name: 'keepalive-agent' };
  expect(await isUninstalled(client, installation, 200)).toBe(uninstalled);
  expect(server.asked[0]?.path).toBe('/apis/apps/v1/namespaces/keepalive-agent/daemonsets/keepalive-agent');
  if (answers.length > 1) expect(server.asked[1]?.path).toBe('/apis/keepalive.dev/v1alpha1');
});
