import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { Reporter } from '../../../src/agent/reporter.ts';
import { World } from '../../../src/agent/world.ts';
import type { NodeKeepaliveStatus } from '../../../src/api/node-keepalive.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { createLog } from '../../../src/ops/log.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { HandClock } from '../kube/hand-clock.ts';

const intervalMs = 10_000;
const object = '/apis/keepalive.dev/v1alpha1/nodekeepalives/n1';
const said = (agentVersion: string): NodeKeepaliveStatus => ({ agentVersion });

let server: FakeApiServer;
let client: ApiClient;
let clock: HandClock;
let world: World;
let reporter: Reporter;
const asked = () => server.asked.map(({ method, path }) => `${method} ${path.replace(object, '')}`);

/** One report has been written, and is there. */
beforeEach(async () => {
  server = await FakeApiServer.start();
  server.otherwise = json({ metadata: { name: 'n1', uid: 'o1', resourceVersion: '1' }, status: said('1') });
  client = new ApiClient(plain(server.url));
  clock = new HandClock();
  world = new World('n1');
  world.nodes.set('n1', { uid: 'u1', name: 'n1', labels: {} });
  world.nodekeepalives.set('n1', { uid: 'o1', status: {} });
  const log = createLog({ level: 'silent', base: {} });
  reporter = new Reporter({ client, log, world, node: 'n1', intervalMs, clock });
  reporter.offer(() => said('1'));
  clock.advance(100);
  while (world.reported?.status.agentVersion !== '1') await new Promise((resolve) => setImmediate(resolve));
  expect(asked()).toEqual(['PATCH /status']);
});
afterEach(async () => {
  await reporter.stop();
  await client.close();
  await server.close();
});

test('a report that is taken back is not made anew when its end is told, but when something is offered', async () => {
  await reporter.withdraw();
  expect(server.asked.at(-1)).toMatchObject({ method: 'DELETE', body: { preconditions: { uid: 'o1' } } });
  world.nodekeepalives.delete('n1');
  reporter.lookAgain();
  expect(clock.pending).toEqual([]);
  reporter.offer(() => said('2'));
  clock.advance(intervalMs);
  await server.received(4);
  expect(asked().slice(2)).toEqual(['PATCH ', 'PATCH /status']);
});

test('what was offered before is not written any more', async () => {
  reporter.offer(() => said('2'));
  await reporter.withdraw();
  clock.advance(2 * intervalMs);
  // When it resolves, whatever was begun has ended.
  await reporter.stop();
  expect(asked()).toEqual(['PATCH /status', 'DELETE ']);
});

test('a write that is under way is waited for, or it would make anew what was taken back', async () => {
  let answer = () => undefined as void;
  server.answers((response, one) => {
    answer = () => void server.otherwise(response, one);
  });
  reporter.offer(() => said('2'));
  clock.advance(intervalMs);
  await server.received(2);
  const withdrawn = reporter.withdraw();
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked()).toEqual(['PATCH /status', 'PATCH /status']);
  answer();
  await withdrawn;
  expect(asked().at(-1)).toBe('DELETE ');
});

test('one that is gone already is no trouble, and one that may not be taken back is', async () => {
  server.answers(status(404, 'NotFound'), status(403, 'Forbidden'));
  await expect(reporter.withdraw()).resolves.toBeUndefined();
  await expect(reporter.withdraw()).rejects.toThrow('Forbidden');
});
