import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { isFollowed, ownDaemonSet } from '../../../src/agent/daemonset.ts';
import { isUninstalled } from '../../../src/agent/farewell.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { RequirementError } from '../../../src/kube/requirement.ts';
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

const list = (...items: object[]) => json({ metadata: {}, items });
const agents = { 'app.kubernetes.io/name': 'keepalive-operator', 'app.kubernetes.io/component': 'agent' };
const daemonSet = (name: string, { ends = false, labels = {}, nodeSelector = {} } = {}) => ({
  metadata: { name, uid: name, ...(ends ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
  spec: { template: { metadata: { labels }, spec: { nodeSelector } } },
});
const kinds = (...names: string[]) => json({ resources: names.map((name) => ({ name })) });
const node = { name: 'n1', labels: { 'kubernetes.io/os': 'linux' } };
const own = 'acme-keepalive-agent';
/** Only an answer that never comes is to be waited for. */
const ask = (hasSeenTheEnd: boolean, ...answers: Answer[]) =>
  isUninstalled(
    client,
    {
      namespace: 'keepalive-agent',
      isFollowed: (daemonSets) => isFollowed(own, daemonSets, node),
      hasSeenTheEnd: () => hasSeenTheEnd,
    },
    answers.includes(hang) ? 200 : 20_000,
  );

test.each<[string, Answer[], boolean | 'unknown']>([
  ['the DaemonSet is there: another agent follows', [list(daemonSet(own))], false],
  ['it was replaced by one of another name', [list(daemonSet('other', { labels: agents }))], false],
  ['only one of somebody else is there', [list(daemonSet('other'))], true],
  ['the DaemonSet is going', [list(daemonSet(own, { ends: true }))], true],
  ['the DaemonSet is gone', [list()], true],
  [
    'it is not for this node any more',
    [list(daemonSet(own, { nodeSelector: { 'kubernetes.io/os': 'windows' } }))],
    true,
  ],
  [
    'the token is not known: of the service account, or of the pod',
    [status(401, 'Unauthorized'), status(401, 'Unauthorized')],
    'unknown',
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
  expect(await ask(false, ...answers)).toBe(uninstalled);
  expect(server.asked[0]?.path).toBe('/apis/apps/v1/namespaces/keepalive-agent/daemonsets');
  if (answers.length > 1) expect(server.asked[1]?.path).toBe('/apis/keepalive.dev/v1alpha1');
});

test.each<[string, Answer, boolean | 'unknown']>([
  ['the role is gone', status(403, 'Forbidden'), true],
  ['the service account is gone', status(401, 'Unauthorized'), true],
  ['the API server does not answer, which it may yet', hang, 'unknown'],
  ['a DaemonSet has come since', list(daemonSet(own)), false],
])('a watch told that the DaemonSet is gone, and %s', async (_sentence, answer, uninstalled) => {
  server.answers(answer);
  expect(await ask(true, answer)).toBe(uninstalled);
});

describe('at its start, an agent', () => {
  const pod = (ownerReferences: object[]) => list({ metadata: { name: 'p', ownerReferences } });
  const serve = (pods: Answer, daemonSets: Answer) => {
    server.otherwise = (response, asked) =>
      (asked.path.endsWith('/pods') ? pods : daemonSets)(response, asked);
  };
  const begin = () => ownDaemonSet(client, { namespace: 'platform', name: 'p' }, {});

  test('learns from its own pod what its DaemonSet is called', async () => {
    serve(pod([{ kind: 'DaemonSet', name: own, controller: true }]), list());
    expect(await begin()).toBe(own);
  });

  test.each<[string, Answer, Answer, string]>([
    ['that is not there', list(), list(), 'POD_NAME and POD_NAMESPACE have to name'],
    ['of nobody', pod([]), list(), 'pod p belongs to no DaemonSet'],
    [
      'that may not read DaemonSets',
      pod([{ kind: 'DaemonSet', name: own, controller: true }]),
      status(403, 'Forbidden'),
      'may not read the DaemonSets of namespace platform',
    ],
  ])('in a pod %s says what to do', async (_sentence, pods, daemonSets, words) => {
    serve(pods, daemonSets);
    await expect(begin()).rejects.toThrow(words);
    await expect(begin()).rejects.toBeInstanceOf(RequirementError);
  });
});
