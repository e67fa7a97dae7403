import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';

import type { PolicyStatus } from '../../../src/api/status.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { createLog } from '../../../src/ops/log.ts';
import { teamPolicy } from '../../storm/crowd.ts';
import { Statuses } from '../../storm/statuses.ts';
import { FakeApiServer } from '../../support/api-server.ts';

const own = { namespace: 'team-1', name: 'own' };
let server: FakeApiServer;
let client: ApiClient;
let watch: ServerResponse | undefined;
let statuses: Statuses;
let version = 1;

function say(type: string, status: PolicyStatus): void {
  const { metadata, ...policy } = teamPolicy(1);
  version += 1;
  const stored = { ...metadata, uid: 'u', generation: 1, resourceVersion: String(version) };
  watch?.write(`${JSON.stringify({ type, object: { ...policy, metadata: stored, status } })}\n`);
}

const counted = (selected: number, established: number): PolicyStatus => ({
  ...{ observedGeneration: 1, pods: { selected, declared: 0, skipped: 0, summary: `0/${selected}` } },
  connections: { established, protected: established, exposed: 0, unknown: 0 },
});
/** What is asked of a status, as it is told. */
const established = () => statuses.of(own)?.status.connections?.established;

beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  server.otherwise = (response, { path }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    if (path.endsWith('/keepalivepolicies')) {
      watch = response;
      say('ADDED', counted(3, 10));
    }
    const metadata = { resourceVersion: '1', annotations: { 'k8s.io/initial-events-end': 'true' } };
    response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
  };
  statuses = new Statuses();
  await statuses.follow(client, createLog({ level: 'silent', base: {} }));
});
afterEach(async () => {
  statuses.close();
  await client.close();
  await server.close();
});

describe('statuses that are waited for', () => {
  test('are heard of by one watch for each kind, and counted by what was new in them', async () => {
    expect(statuses.count).toBe(1);
    const isThere = statuses.until('connections', () => established() === 12, 5000);
    say('MODIFIED', counted(3, 11));
    say('MODIFIED', counted(4, 11));
    say('MODIFIED', counted(4, 12));
    await isThere;
    expect(Object.fromEntries(statuses.takeWrites())).toEqual({ connections: 2, pods: 1 });
    expect(statuses.takeWrites().size).toBe(0);
    expect(server.asked).toHaveLength(2);
  });

  test('are told of as not there in time, and what is wrong meanwhile at once', async () => {
    await expect(statuses.until('nothing', () => false, 1)).rejects.toThrow('in vain for: nothing');
    const fail = () => {
      throw new Error('it ended');
    };
    await expect(statuses.until('nothing', fail, 60_000)).rejects.toThrow('it ended');
  });

  test('are all right once the last one is, also where one was right before and is not any more', async () => {
    const told = { findings: [], findingsTotal: 0, observedGeneration: 1 };
    const due = (established: number) => {
      const { pods, connections } = counted(3, established);
      return new Map([['team-1/own', { ...told, pods, connections }]]);
    };
    await statuses.untilAre(due(10), 1000);
    const areRight = statuses.untilAre(due(12), 5000);
    say('MODIFIED', counted(3, 12));
    await areRight;
    expect(performance.now() - statuses.lastWriteAt).toBeLessThan(1000);
  });
});
