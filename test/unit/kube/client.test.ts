import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiClient, type Exchange } from '../../../src/kube/client.ts';
import { plain, type Connection } from '../../../src/kube/connection.ts';
import * as errors from '../../../src/kube/errors.ts';
import { keyOf, parseKey, pathOf } from '../../../src/kube/resource.ts';
import { until } from '../../cluster/wait.ts';
import { FakeApiServer, hang, json, status, stream, type Answer } from '../../support/api-server.ts';

const pods = { group: '', version: 'v1', plural: 'pods' };
const policies = { group: 'keepalive.dev', version: 'v1alpha1', plural: 'keepalivepolicies' };
const pod = { ...pods, namespace: 'db', name: 'a' };

let server: FakeApiServer;
let connection: Connection;
let exchanges: Exchange[];
let client: ApiClient;

beforeEach(async () => {
  server = await FakeApiServer.start();
  connection = plain(server.url);
  exchanges = [];
  client = new ApiClient(connection, { onExchange: (exchange) => exchanges.push(exchange) });
});

afterEach(async () => {
  await client.close();
  await server.close();
});

test.each([
  ['all pods', pods, '/api/v1/pods'],
  ['the pods of a namespace', { ...pods, namespace: 'db' }, '/api/v1/namespaces/db/pods'],
  [
    'the status of a policy',
    { ...policies, namespace: 'db', name: 'p', subresource: 'status' },
    '/apis/keepalive.dev/v1alpha1/namespaces/db/keepalivepolicies/p/status',
  ],
  ['a name that must be escaped', { ...pods, name: 'a/b' }, '/api/v1/pods/a%2Fb'],
])('the path of %s', (_name, target, path) => {
  expect(pathOf(target)).toBe(path);
});

test.each([{ namespace: 'db', name: 'a' }, { name: 'node-1' }])('the key of %j can be read back', (parts) => {
  expect(parseKey(keyOf(parts))).toEqual(parts);
});

test('of a server that serves several clusters, each is a path of it', async () => {
  const behind = new ApiClient({ ...connection, server: `${server.url}/k8s/clusters/c-1/` });
  server.otherwise = json({});
  await behind.get(pod);
  expect(server.asked.map(({ path }) => path)).toEqual(['/k8s/clusters/c-1/api/v1/namespaces/db/pods/a']);
});

test('the API server says which version it is, and what time it has', async () => {
  server.otherwise = json({ gitVersion: 'v1.37.2' }, 200, { date: 'Thu, 01 Jan 2026 00:00:00 GMT' });
  expect(await client.serverVersion()).toEqual({ gitVersion: 'v1.37.2', dateMs: Date.UTC(2026, 0) });
  expect(server.asked.map(({ path }) => path)).toEqual(['/version']);
});

describe('requests', () => {
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'db', name: 'a' }, spec: {} };
  const status = { fieldManager: 'keepalive-controller' };

  test.each<[string, () => Promise<unknown>, object]>([
    ['get', () => client.get(pod), { method: 'GET', path: '/api/v1/namespaces/db/pods/a', body: undefined }],
    ['create', () => client.create(pods, body), { method: 'POST', path: '/api/v1/pods', body }],
    ['update', () => client.update(pod, body), { method: 'PUT', path: '/api/v1/namespaces/db/pods/a', body }],
    [
      'delete',
      () => client.delete(pod, { uid: 'u' }),
      { method: 'DELETE', body: { preconditions: { uid: 'u' } } },
    ],
    [
      'patch',
      () => client.patch(pod, { spec: {} }),
      {
        method: 'PATCH',
        headers: expect.objectContaining({ 'content-type': 'application/merge-patch+json' }),
      },
    ],
    [
      'apply',
      () => client.apply(pods, body, status),
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/db/pods/a',
        query: { fieldManager: 'keepalive-controller', force: 'true' },
        headers: expect.objectContaining({ 'content-type': 'application/apply-patch+yaml' }),
        body,
      },
    ],
    [
      'a status for one object and no other of its name',
      () => client.replaceStatus({ ...pod, uid: 'u1' }, { phase: 'x' }, status),
      {
        ...{ method: 'PATCH', path: '/api/v1/namespaces/db/pods/a/status', query: status },
        headers: expect.objectContaining({ 'content-type': 'application/json-patch+json' }),
        body: [
          { op: 'test', path: '/metadata/uid', value: 'u1' },
          { op: 'add', path: '/status', value: { phase: 'x' } },
        ],
      },
    ],
  ])('%s is sent as the API server reads it', async (_name, call, expected) => {
    server.answers(json({}));
    await call();
    expect(server.asked[0]).toMatchObject(expected);
    expect(exchanges).toEqual([{ verb: expect.any(String), resource: 'pods', code: 200 }]);
  });

  test('use connections again', async () => {
    server.otherwise = json({});
    for (let n = 0; n < 20; n++) await client.get(pod);
    // The next request may come before the connection of the last one is free.
    expect(server.connections).toBeLessThanOrEqual(2);
  });
});

describe('a failure is folded into one error:', () => {
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => {
        throw new Error('it succeeded');
      },
      (error: unknown) => error as errors.ApiError,
    );

  test('a refusal, with the words of the server on one line', async () => {
    server.answers(status(403, 'Forbidden', 'pods "a" is\nforbidden'));
    const error = await failure(client.get(pod));
    expect(error).toBeInstanceOf(errors.ApiError);
    expect(error.message).toBe('GET /api/v1/namespaces/db/pods/a: 403 Forbidden: pods "a" is forbidden');
    expect(errors.isForbidden(error)).toBe(true);
  });

  test('a page of a proxy, without its text', async () => {
    server.answers(json('<html>secret</html>', 502));
    expect((await failure(client.get(pod))).message).toBe('GET /api/v1/namespaces/db/pods/a: 502 Unknown');
  });

  const page =
    (size: number): Answer =>
    (response) =>
      void response.writeHead(503, { 'retry-after': '3' }).write('x'.repeat(size));

  test.each<[string, Answer]>([
    ['does not end', page(10)],
    ['is endless', page(2 ** 20)],
    [
      'breaks off',
      (response) => void response.writeHead(503, { 'retry-after': '3' }).write('x', () => response.destroy()),
    ],
  ])('a page of a gateway that %s, to a watch as to any other question', async (_what, answer) => {
    for (const call of [
      () => client.watch(pods, {}, { timeoutMs: 1_000 }),
      () => client.get(pod, { timeoutMs: 1_000 }),
    ]) {
      server.answers(answer);
      const error = await failure(call());
      expect([error.status, errors.retryAfterMs(error)]).toEqual([503, 3_000]);
    }
    await until('nothing is kept open for the rest', () => server.connections === 0);
    expect(exchanges.map(({ code }) => code)).toEqual([503, 503]);
  });

  test('what is longer than any word of the server, without it', async () => {
    server.answers(status(403, 'Forbidden', 'x'.repeat(2 ** 16)));
    expect(await failure(client.get(pod))).toMatchObject({ status: 403, reason: 'Unknown' });
  });

  test('a request to wait', async () => {
    server.answers(status(429, 'TooManyRequests', '', { 'retry-after': '3' }));
    const error = await failure(client.get(pod));
    expect([errors.isTooManyRequests(error), errors.retryAfterMs(error)]).toEqual([true, 3_000]);
  });

  test('an answer that does not come', async () => {
    server.answers(hang);
    const error = await failure(client.get(pod, { timeoutMs: 20 }));
    expect([error.status, error.reason, errors.isNetwork(error)]).toEqual([0, 'Timeout', true]);
    expect(exchanges).toEqual([{ verb: 'get', resource: 'pods', code: 0 }]);
  });

  test('a page of a list that falls silent', async () => {
    server.answers(stream('{"metadata":{"resourceVersion":"1"},"items":[{}'));
    const seen: unknown[] = [];
    const error = await failure(client.eachOfPage(pods, {}, (item) => seen.push(item), { timeoutMs: 100 }));
    expect([seen, error.reason, errors.isNetwork(error)]).toEqual([[{}], 'Timeout', true]);
  });

  test('a server that is not there', async () => {
    const nowhere = new ApiClient(plain('http://127.0.0.1:1'));
    const error = await failure(nowhere.get(pod));
    expect([error.reason, errors.isUnavailable(error)]).toEqual(['ECONNREFUSED', true]);
    await nowhere.close();
  });

  test('a caller that does not want it any more', async () => {
    server.answers(hang);
    const stop = new AbortController();
    const call = failure(client.get(pod, { signal: stop.signal }));
    await server.received(1);
    stop.abort();
    expect((await call).reason).toBe('Aborted');
  });
});

test.each([
  ['isNotFound', 404, 'NotFound', errors.isNotFound],
  ['isConflict', 409, 'Conflict', errors.isConflict],
  ['isAlreadyExists', 409, 'AlreadyExists', errors.isAlreadyExists],
  ['isGone', 410, 'Gone', errors.isGone],
  ['isGone', 500, 'Expired', errors.isGone],
  ['isInvalid', 422, 'Invalid', errors.isInvalid],
  ['isUnavailable', 503, 'ServiceUnavailable', errors.isUnavailable],
])('%s knows %i %s, and not 418', (_name, code, reason, predicate) => {
  const error = (status: number, why: string) => new errors.ApiError({ status, reason: why, path: 'GET /' });
  expect(predicate(error(code, reason))).toBe(true);
  expect(predicate(error(418, 'Teapot'))).toBe(false);
  expect(predicate(new Error(reason))).toBe(false);
});

test('a server is reached by its unix socket', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'socket-'));
  const local = await FakeApiServer.start(join(folder, 's'));
  local.answers(json({ metadata: { name: 'a' } }));
  const near = new ApiClient(plain('http://server', join(folder, 's')));
  expect(await near.get(pod)).toEqual({ metadata: { name: 'a' } });
  await near.close();
  await local.close();
  await rm(folder, { recursive: true });
});

test('an answer whose fields are no text is an error like any other', () => {
  const odd = { code: '7', reason: 5, message: 5, details: 'x' } as unknown as Parameters<
    typeof errors.fromStatus
  >[0];
  expect(errors.fromStatus(odd, 'WATCH /x')).toMatchObject({ status: 500, reason: 'Unknown' });
});
