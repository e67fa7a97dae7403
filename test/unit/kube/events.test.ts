import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { subdomainProblems } from '../../../src/api/name-format.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain, type Connection } from '../../../src/kube/connection.ts';
import { EventRecorder, type Notice } from '../../../src/kube/events.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { HandClock } from './hand-clock.ts';
import { notebook } from './world.ts';

let server: FakeApiServer;
let connection: Connection;

beforeEach(async () => {
  server = await FakeApiServer.start();
  connection = plain(server.url);
  server.otherwise = json({}, 201);
});

afterEach(async () => {
  await connection.close();
  await server.close();
});

function recorder() {
  const clock = new HandClock();
  const { log, lines } = notebook();
  const events = new EventRecorder({
    client: new ApiClient(connection),
    reportingController: 'keepalive.dev/controller',
    reportingInstance: 'controller-0',
    log,
    clock,
  });
  return { events, clock, lines };
}

const notice = (more: Partial<Notice> = {}): Notice => ({
  regarding: {
    apiVersion: 'keepalive.dev/v1alpha1',
    kind: 'KeepalivePolicy',
    namespace: 'db',
    name: 'p',
    uid: 'u',
  },
  type: 'Warning',
  reason: 'Degraded',
  action: 'Reconcile',
  note: 'two nodes do not report',
  ...more,
});

test('an event goes to the namespace of its object, with all the server asks for', async () => {
  const { events } = recorder();
  events.record(notice());
  await events.flush();
  expect(server.asked[0]).toMatchObject({
    method: 'POST',
    path: '/apis/events.k8s.io/v1/namespaces/db/events',
    body: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'db', name: expect.stringMatching(/^p\.[0-9a-f]{16}$/) },
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      reportingController: 'keepalive.dev/controller',
      reportingInstance: 'controller-0',
      ...notice(),
    },
  });
});

test('an event of an object of cluster scope goes to the default namespace', async () => {
  const { events } = recorder();
  events.record(notice({ regarding: { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'n' } }));
  await events.flush();
  expect(server.asked[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/default/events');
});

test.each([
  ['is sent as it is up to 1024 bytes', 'x'.repeat(1024), 'x'.repeat(1024)],
  ['is cut beyond', 'x'.repeat(1025), `${'x'.repeat(1021)}…`],
  ['is cut before a character that does not fit', 'ü'.repeat(513), `${'ü'.repeat(510)}…`],
])('a note %s', async (_name, note, sent) => {
  const { events } = recorder();
  events.record(notice({ note }));
  await events.flush();
  expect(server.asked[0]?.body).toMatchObject({ note: sent });
});

test('a storm about one object becomes ten events, then one each five minutes, and hinders no other', async () => {
  const { events, clock } = recorder();
  const storm = async () => {
    for (let n = 0; n < 50; n++) {
      events.record(notice());
      await events.flush();
    }
  };
  await storm();
  expect(server.asked).toHaveLength(10);
  events.record(notice({ regarding: { ...notice().regarding, uid: 'another' } }));
  await events.flush();
  expect(server.asked).toHaveLength(11);
  clock.advance(300_000);
  await storm();
  expect(server.asked).toHaveLength(12);
});

test('what the server refuses is dropped, and said once', async () => {
  server.otherwise = status(403, 'Forbidden', 'cannot create events');
  const { events, lines } = recorder();
  for (let n = 0; n < 3; n++) events.record(notice());
  await events.flush();
  expect(lines.map(({ level, message }) => [level, message])).toEqual([['warn', 'event dropped']]);
});

test('an event has a name that the server takes, whatever its object is called', async () => {
  const names: string[] = [];
  const client = {
    create: (_target: unknown, { metadata }: { metadata: { name: string } }) => names.push(metadata.name),
  };
  const parts = fc.array(fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,3}[a-z0-9])?$/), {
    minLength: 1,
    maxLength: 120,
  });
  const objects = parts.map((all) =>
    all
      .join('.')
      .slice(0, 253)
      .replace(/[-.]+$/, ''),
  );
  await fc.assert(
    fc.asyncProperty(objects, async (name) => {
      const events = new EventRecorder({
        client: client as unknown as ApiClient,
        ...{ reportingController: 'c', reportingInstance: 'i', log: notebook().log },
      });
      events.record(notice({ regarding: { ...notice().regarding, name } }));
      await events.flush();
      expect(subdomainProblems(names.at(-1) ?? '')).toEqual([]);
      expect(names.at(-1)?.startsWith(name.slice(0, 200).replace(/[-.]+$/, ''))).toBe(true);
    }),
    {
      numRuns: 500,
      examples: [[`${'a'.repeat(219)}-b`], [`${'a'.repeat(219)}.b`], [`${'a'.repeat(217)}---b`]],
    },
  );
  expect(new Set(names).size).toBe(names.length);
});
