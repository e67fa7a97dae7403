import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { readSettings } from '../../../src/api/settings.ts';
import { Cluster, known } from '../../../src/cli/cluster.ts';
import { settingsIn } from '../../../src/cli/explain-facts.ts';
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

const data = { acting: 'Audit' };
const there = json({ metadata: { name: 'keepalive-settings', uid: 'c', resourceVersion: '1' }, data });
const refused = status(403, 'Forbidden');
const absent = status(404, 'NotFound');
const inForce = known(readSettings(data));
const unknown = { known: false, why: expect.stringContaining('you may not get configmaps in namespace') };

describe('the settings are', () => {
  test.each<[sentence: string, controller: Answer, agents: Answer, expected: unknown]>([
    ['those of the namespace that has some', there, absent, inForce],
    ['those of the other one', absent, there, inForce],
    ['those that can be read, where the other namespace cannot', refused, there, inForce],
    ['not known where one that cannot be read may have some', absent, refused, unknown],
    ['the usual ones where there are none', absent, absent, known(readSettings(undefined))],
  ])('%s', async (_sentence, controller, agents, expected) => {
    server.otherwise = (response, asked) =>
      (asked.path.startsWith('/api/v1/namespaces/platform/') ? controller : agents)(response, asked);
    expect(await settingsIn(cluster, ['platform', 'keepalive-agent'])).toEqual(expected);
  });

  test('the usual ones where the operator is nowhere', async () => {
    expect(await settingsIn(cluster, [])).toEqual(known(readSettings(undefined)));
  });
});
