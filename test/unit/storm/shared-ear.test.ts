import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';

import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { createLog } from '../../../src/ops/log.ts';
import { until } from '../../cluster/wait.ts';
import { namespaceObject, nodeName, platformPolicy, storedPod, teamPolicy } from '../../storm/crowd.ts';
import { PlayedAgent } from '../../storm/played-agent.ts';
import { SharedEar } from '../../storm/shared-ear.ts';
import { FakeApiServer } from '../../support/api-server.ts';

/** As many as would have waited for 20 s on an average day of the bench that gave each its moment at random. */
const nodes = 2000;
const life = new AbortController();
const heard = jest.spyOn(PlayedAgent.prototype, 'heard');
const woken = () => (heard.mock.contexts as PlayedAgent[]).map(({ node }) => node);
let server: FakeApiServer;
let client: ApiClient;
let watches: Map<string, ServerResponse>;
let ear: SharedEar;

/** What the API server has of each kind, by the plural of it. */
const there: Readonly<Record<string, readonly object[]>> = {
  namespaces: [1, 2].map((team) => namespaceObject(`team-${team}`)),
  keepalivepolicies: [1, 2].map(teamPolicy),
  clusterkeepalivepolicies: [platformPolicy(0)],
  pods: [
    [1, 7],
    [1, 9],
    [2, 9],
  ].map(([team, node], index) =>
    storedPod({ index, name: `pod-${index}`, namespace: `team-${team}`, node: nodeName(node ?? 0) }),
  ),
};

const stored = (object: object, generation = 1) => {
  const { metadata } = object as { metadata: { name: string } };
  return { ...object, metadata: { uid: metadata.name, ...metadata, generation, resourceVersion: '1' } };
};

function say(plural: string, type: string, object: object): void {
  watches.get(plural)?.write(`${JSON.stringify({ type, object })}\n`);
}

beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  watches = new Map();
  server.otherwise = (response, { path }) => {
    const plural = path.split('/').at(-1) ?? '';
    response.writeHead(200, { 'content-type': 'application/json' });
    watches.set(plural, response);
    for (const object of there[plural] ?? []) say(plural, 'ADDED', stored(object));
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    say(plural, 'BOOKMARK', { metadata: { resourceVersion: '1', annotations } });
  };
  ear = new SharedEar(client, createLog({ level: 'silent', base: {} }));
  for (let index = 0; index < nodes; index += 1) ear.add(nodeName(index));
  heard.mockClear();
  await ear.listen(life.signal);
});
afterEach(async () => {
  life.abort();
  for (const { reporter } of ear.agents) await reporter.stop();
  await client.close();
  await server.close();
});

test('played agents hear of a change at once, and those alone who have something of it', async () => {
  // Nobody told of a part of what is there.
  expect(woken()).toHaveLength(nodes);
  expect(new Set(woken()).size).toBe(nodes);

  for (const [plural, object, concerned] of [
    ['keepalivepolicies', teamPolicy(1), [nodeName(7), nodeName(9)]],
    ['keepalivepolicies', teamPolicy(2), [nodeName(9)]],
  ] as const) {
    heard.mockClear();
    const spec = { podSelector: {}, path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: 77 }] };
    say(plural, 'MODIFIED', stored({ ...object, spec }, 2));
    await until('somebody heard', () => woken().length > 0, { timeoutMs: 500 });
    expect(woken().sort()).toEqual(concerned);
  }

  heard.mockClear();
  const namespace = {
    ...namespaceObject('team-1'),
    metadata: { name: 'team-1', labels: { stage: 'other' } },
  };
  say('namespaces', 'MODIFIED', stored(namespace, 2));
  await until('somebody heard', () => woken().length > 0, { timeoutMs: 500 });
  expect(woken().sort()).toEqual([nodeName(7), nodeName(9)]);

  heard.mockClear();
  say(
    'clusterkeepalivepolicies',
    'MODIFIED',
    stored({ ...platformPolicy(0), spec: platformPolicy(2).spec }, 2),
  );
  await until('everybody heard', () => woken().length === nodes, { timeoutMs: 500 });
});
