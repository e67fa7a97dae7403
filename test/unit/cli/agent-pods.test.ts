import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { homesOf } from '../../../src/cli/agent-pods.ts';
import { Cluster } from '../../../src/cli/cluster.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';

let server: FakeApiServer;
let cluster: Cluster;
beforeEach(async () => {
  server = await FakeApiServer.start();
  cluster = new Cluster(new ApiClient(plain(server.url)), { namespace: 'db', where: 'here' });
});
afterEach(async () => {
  await cluster.client.close();
  await server.close();
});

const list = (...items: object[]) => json({ metadata: { resourceVersion: '1' }, items });
const refused = status(403, 'Forbidden');
const labelled = list({ metadata: { name: 'keepalive-agent', uid: 'n', resourceVersion: '1' } });
const bound = list(
  ...['platform', 'keepalive-agent'].map((namespace, index) => ({
    metadata: { name: `b${index}`, uid: `b${index}`, resourceVersion: '1' },
    subjects: [{ kind: 'ServiceAccount', name: 'keepalive', namespace }],
  })),
);

test.each<[sentence: string, namespaces: Answer, bindings: Answer, homes: string[]]>([
  [
    'by a label, and by who is bound, whose namespace Helm gave no label',
    labelled,
    bound,
    ['keepalive-agent', 'platform'],
  ],
  ['by who is bound alone', refused, bound, ['platform', 'keepalive-agent']],
  [
    'by a label, and where the manifests put them',
    labelled,
    refused,
    ['keepalive-agent', 'keepalive-system'],
  ],
  ['where the manifests put them', refused, refused, ['keepalive-system', 'keepalive-agent']],
  ['nowhere, where nothing is installed', list(), list(), []],
])('the operator is found %s', async (_sentence, namespaces, bindings, homes) => {
  server.otherwise = (response, asked) =>
    (asked.path.startsWith('/api/v1/namespaces') ? namespaces : bindings)(response, asked);
  expect(await homesOf(cluster)).toEqual(homes);
});
