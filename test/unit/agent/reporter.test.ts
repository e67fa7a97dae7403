import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { Reporter } from '../../../src/agent/reporter.ts';
import { World } from '../../../src/agent/world.ts';
import type { NodeKeepaliveStatus } from '../../../src/api/node-keepalive.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { createLog } from '../../../src/ops/log.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, status } from '../../support/api-server.ts';
import { until } from '../../cluster/wait.ts';
import { HandClock } from '../kube/hand-clock.ts';

const intervalMs = 10_000;
const object = '/apis/keepalive.dev/v1alpha1/nodekeepalives/n1';

let server: FakeApiServer;
let client: ApiClient;
let clock: HandClock;
let world: World;
let reporter: Reporter;
let random = 0.5;
beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  clock = new HandClock();
  world = new World('n1');
  world.nodes.set('n1', { uid: 'u1', name: 'n1', labels: {} });
  const log = createLog({ level: 'silent', base: {} });
  reporter = new Reporter({ client, log, world, node: 'n1', intervalMs, clock, random: () => random });
  server.otherwise = accept;
});
afterEach(async () => {
  await reporter.stop();
  await client.close();
  await server.close();
});

const said = (live: number): NodeKeepaliveStatus => ({
  agentVersion: '1',
  pods: { selected: 9, live, summary: `${live}/9` },
});
/** The whole status, whoever wrote what is there, of that very object. */
const replacing = (uid: string, value: NodeKeepaliveStatus) => [
  { op: 'test', path: '/metadata/uid', value: uid },
  { op: 'add', path: '/status', value },
];
const statusIn = (body: unknown) =>
  Array.isArray(body) ? (body as { value: NodeKeepaliveStatus }[])[1]?.value : undefined;
/** As the API server does: what was written comes back. */
const accept: Answer = (response, { body }) => {
  const applied = statusIn(body);
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({ metadata: { name: 'n1', uid: 'o1', resourceVersion: '1' }, status: applied }),
  );
};
const written = () =>
  server.asked.map(({ path, body }) => {
    return [path.replace(object, ''), statusIn(body)?.pods?.live];
  });
/** Offers a first report of an object that is there, until it was asked for. */
async function writeFirst(): Promise<void> {
  world.nodekeepalives.set('n1', { uid: 'o1', status: {} });
  reporter.offer(() => said(1));
  clock.advance(100);
  await server.received(1);
}

test('a first report makes the object, owned by its node, then its status', async () => {
  reporter.offer(() => said(1));
  clock.advance(100);
  await server.received(2);
  expect(written()).toEqual([
    ['', undefined],
    ['/status', 1],
  ]);
  expect(server.asked[0]).toMatchObject({
    query: { fieldManager: 'keepalive-agent', force: 'true' },
    body: { metadata: { ownerReferences: [{ kind: 'Node', name: 'n1', uid: 'u1' }] } },
  });
});

test('what is offered is made up when it may be written, and not where something newer came before', async () => {
  world.nodekeepalives.set('n1', { uid: 'o1', status: said(1) });
  const made: number[] = [];
  const make = (live: number) => () => {
    made.push(live);
    // It takes a second.
    clock.advance(1000);
    return said(1);
  };
  reporter.offer(make(1));
  reporter.offer(make(2));
  expect(made).toEqual([]);
  clock.advance(100);
  expect(made).toEqual([2]);
  // Nothing had to be written, and still it rests nine times as long.
  await new Promise((resolve) => setImmediate(resolve));
  reporter.offer(make(3));
  clock.advance(8000);
  expect(made).toEqual([2]);
  clock.advance(1001);
  expect(made).toEqual([2, 3]);
  expect(server.asked).toEqual([]);
});

test('what is offered meanwhile is one write, the latest, and no sooner than the interval', async () => {
  world.nodekeepalives.set('n1', { uid: 'o1', status: {} });
  reporter.offer(() => said(1));
  reporter.offer(() => said(2));
  clock.advance(100);
  await server.received(1);
  reporter.offer(() => said(3));
  reporter.offer(() => said(4));
  await clock.asleep(intervalMs);
  // Everything up to a moment before its turn.
  clock.advance((clock.pending[0] ?? 0) - 1);
  expect(clock.passedMs).toBe(100 + intervalMs - 1);
  expect(written()).toEqual([['/status', 2]]);
  clock.advance(1);
  await server.received(2);
  expect(written()).toEqual([
    ['/status', 2],
    ['/status', 4],
  ]);
});

test('what is there already is not written, by whomever it was', async () => {
  world.nodekeepalives.set('n1', { uid: 'o1', status: said(1) });
  reporter.offer(() => said(1));
  clock.advance(intervalMs);
  await Promise.resolve();
  expect(clock.pending).toEqual([]);
  reporter.lookAgain();
  expect(clock.pending).toEqual([]);
  expect(server.asked).toEqual([]);
});

test('what a kind of an earlier version lets go is not written again and again', async () => {
  world.nodekeepalives.set('n1', { uid: 'o1', status: {} });
  server.otherwise = (response, { body }) => {
    const { agentVersion: _, ...kept } = statusIn(body) ?? {};
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ metadata: { name: 'n1', uid: 'o1', resourceVersion: '1' }, status: kept }));
  };
  reporter.offer(() => said(1));
  clock.advance(100);
  await server.received(1);
  while (world.reported?.status === undefined || !('pods' in world.reported.status))
    await new Promise((resolve) => setImmediate(resolve));
  reporter.lookAgain();
  expect(clock.pending).toEqual([]);
  reporter.offer(() => said(1));
  clock.advance(intervalMs);
  await new Promise((resolve) => setImmediate(resolve));
  expect(clock.pending).toEqual([]);
  expect(server.asked).toHaveLength(1);
  reporter.offer(() => said(2));
  clock.advance(intervalMs);
  await server.received(2);
});

test('what changes and changes back before its turn is not written', async () => {
  world.nodekeepalives.set('n1', { uid: 'o1', status: said(1) });
  reporter.offer(() => said(2));
  reporter.offer(() => said(1));
  clock.advance(intervalMs);
  await Promise.resolve();
  expect(server.asked).toEqual([]);
});

test('an object that somebody deleted is made again', async () => {
  world.nodekeepalives.set('n1', { uid: 'o1', status: said(1) });
  reporter.offer(() => said(1));
  world.nodekeepalives.delete('n1');
  reporter.lookAgain();
  clock.advance(100);
  await server.received(2);
  expect(written()).toEqual([
    ['', undefined],
    ['/status', 1],
  ]);
});

test('one that vanished unseen is made again when it is missed', async () => {
  world.nodekeepalives.set('n1', { uid: 'o1', status: {} });
  server.answers(status(404, 'NotFound'));
  reporter.offer(() => said(1));
  clock.advance(100);
  await server.received(3);
  expect(written().map(([path]) => path)).toEqual(['/status', '', '/status']);
});

test('a write that fails is tried again', async () => {
  server.answers(status(500, 'InternalError'));
  await writeFirst();
  await clock.asleep(intervalMs);
  clock.advance(intervalMs);
  await server.received(2);
  expect(written()).toEqual([
    ['/status', 1],
    ['/status', 1],
  ]);
});

test('a write meant for an object that is gone does not reach the one that took its name', async () => {
  server.answers(status(422, 'Invalid'));
  await writeFirst();
  expect(server.asked[0]).toMatchObject({ body: replacing('o1', said(1)) });
  world.nodekeepalives.set('n1', { uid: 'o2', status: {} });
  await clock.asleep(intervalMs);
  clock.advance(intervalMs);
  await server.received(2);
  expect(server.asked[1]).toMatchObject({ body: replacing('o2', said(1)) });
});

test('nothing is made while the node is not known, since nobody would own it', async () => {
  world.nodes.delete('n1');
  reporter.offer(() => said(1));
  clock.advance(100);
  await clock.asleep(intervalMs);
  expect(server.asked).toEqual([]);
});

test('after the end nothing is written', async () => {
  reporter.offer(() => said(1));
  await reporter.stop();
  clock.advance(intervalMs);
  reporter.offer(() => said(2));
  expect(clock.pending).toEqual([]);
  expect(server.asked).toEqual([]);
});

describe('a reporter has spoken', () => {
  test('once its first report is written, and not by what was there before', async () => {
    world.nodekeepalives.set('n1', { uid: 'o1', status: said(1) });
    reporter.lookAgain();
    expect(reporter.hasSpoken).toBe(false);
    reporter.offer(() => said(2));
    expect(reporter.hasSpoken).toBe(false);
    clock.advance(100);
    await until('it is written', () => reporter.hasSpoken);
    expect(written()).toEqual([['/status', 2]]);
  });

  test('where what it has to say is there already, which takes no write', async () => {
    world.nodekeepalives.set('n1', { uid: 'o1', status: said(1) });
    reporter.offer(() => said(1));
    expect(reporter.hasSpoken).toBe(false);
    clock.advance(100);
    await until('it was compared', () => reporter.hasSpoken);
    expect(server.asked).toEqual([]);
  });

  test('where its write arrived and the answer was lost', async () => {
    server.answers(status(500, 'InternalError'));
    await writeFirst();
    await clock.asleep(intervalMs);
    expect(reporter.hasSpoken).toBe(false);
    world.nodekeepalives.set('n1', { uid: 'o1', status: said(1) });
    reporter.lookAgain();
    expect(reporter.hasSpoken).toBe(true);
  });

  test('not while its node is not known', async () => {
    world.nodes.delete('n1');
    reporter.offer(() => said(1));
    clock.advance(100);
    await clock.asleep(intervalMs);
    expect(reporter.hasSpoken).toBe(false);
  });
});

describe('a report that the API server refuses', () => {
  const refusing = (code: number, headers?: Record<string, string>): Answer =>
    status(code, 'Refused', 'a policy of somebody denied it', headers);
  const offerRefused = async (code: number, headers?: Record<string, string>) => {
    server.otherwise = refusing(code, headers);
    await writeFirst();
    await until('it waits for its next try', () => clock.pending.length > 0);
  };
  const passed = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  // 500 is that of a webhook that nobody answers and that lets nothing through then.
  test.each([403, 500])('(%i) is told after a minute, in its words, until one is taken', async (code) => {
    await offerRefused(code);
    expect(reporter.refusal).toBeUndefined();
    await passed(61);
    expect(reporter.refusal).toMatch(
      /^its report has not been taken for \d+ s, .*a policy of somebody denied it/,
    );
    server.otherwise = accept;
    await until('it is taken', () => {
      clock.advance(1000);
      return reporter.refusal === undefined;
    });
  });

  test.each([429, 502, 503, 504])('for a while (%i) says nothing against this agent', async (code) => {
    await offerRefused(code);
    await passed(120);
    expect(reporter.refusal).toBeUndefined();
  });

  test.each([0, 1])('is not offered again together with all that are told the same (%d)', async (drawn) => {
    random = drawn;
    await offerRefused(429, { 'retry-after': '20' });
    expect(Math.round((clock.pending[0] ?? 0) / 1000)).toBe(20 * (1 + drawn));
  });

  test('for minutes, since the server is overloaded, is told all the same', async () => {
    await offerRefused(503);
    await passed(301);
    expect(reporter.refusal).toMatch(/^its report has not been taken for 30\d s, .*denied it/);
  });

  test('once, and gets no answers after that, says nothing against this agent', async () => {
    await offerRefused(500);
    server.otherwise = (response) => {
      response.destroy();
    };
    await passed(120);
    expect(server.asked.length).toBeGreaterThan(2);
    expect(reporter.refusal).toBeUndefined();
  });
});
