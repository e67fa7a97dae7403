import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { World } from '../../../src/agent/world.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { createLog } from '../../../src/ops/log.ts';
import { until } from '../../cluster/wait.ts';
import { FakeApiServer, stream } from '../../support/api-server.ts';
import { added, failed, listEnd, modified } from '../kube/world.ts';

let server: FakeApiServer;
let client: ApiClient;
let world: World;
let stop: AbortController;
/** What the agent was told, each of which is a round over all of its pods. */
let told: string[];
beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  world = new World('n1');
  stop = new AbortController();
  told = [];
});
afterEach(async () => {
  stop.abort();
  await client.close();
  await server.close();
});

const kinds = ['keepalivepolicies', 'clusterkeepalivepolicies'] as const;

/** As the API server has it after so many writes, of which so many were of its spec. */
function policy(name: string, version: number, { generation = 1, seconds = 90 } = {}) {
  return {
    metadata: { namespace: 'db', name, uid: `uid-${name}`, resourceVersion: String(version), generation },
    spec: { podSelector: {}, path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }] },
    status: { observedGeneration: generation, pods: { selected: version } },
  };
}

/** Runs the watch of that kind alone. */
function follow(kind: (typeof kinds)[number]) {
  const watched = world.watchAll({
    ...{ client, log: createLog({ level: 'silent', base: {} }), settingsNamespace: 'keepalive-system' },
    onChange: (resource) => told.push(resource),
  });
  void watched.find(({ resource }) => resource === kind)?.reflector.run(stop.signal);
  const held = (name: string) => world[kind].get(`db/${name}`);
  return {
    isHeld: (name: string) => held(name) !== undefined,
    secondsOf: (name: string) => held(name)?.policy?.effective?.idleTimeoutSeconds,
  };
}

describe.each(kinds)('of the %s that an agent hears of,', (kind) => {
  test('a status that is written is no news, and nothing else of such an object is read', async () => {
    // No API server tells the last of them: it shows who reads on where uid and generation are those that are held.
    const written = [policy('a', 11), policy('a', 12), policy('a', 13, { seconds: 30 })].map(modified);
    server.answers(stream(added(policy('a', 1)), listEnd(10), ...written, added(policy('b', 14))));
    const { secondsOf, isHeld } = follow(kind);
    await until('the last of all is held', () => isHeld('b'));
    expect([told, secondsOf('a')]).toEqual([[kind, kind], 90]);
  });

  test('a spec that is edited is news', async () => {
    const edited = modified(policy('a', 11, { generation: 2, seconds: 30 }));
    server.answers(stream(added(policy('a', 1)), listEnd(10), edited));
    const { secondsOf } = follow(kind);
    await until('the edit is held', () => secondsOf('a') === 30);
    expect(told).toEqual([kind, kind]);
  });

  test('a list of them after others were written into their statuses is no news', async () => {
    server.answers(stream(added(policy('a', 1)), listEnd(10), failed(410, 'Expired')));
    server.answers(stream(added(policy('a', 12)), listEnd(20), added(policy('b', 21))));
    const { isHeld } = follow(kind);
    await until('the last of all is held', () => isHeld('b'));
    expect(told).toEqual([kind, kind]);
  });
});
