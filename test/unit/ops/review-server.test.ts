import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connect as connectSecurely } from 'node:tls';

import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import type { KeyPair } from '../../../src/ops/certificate.ts';
import { issue } from '../../../src/ops/certificate-issue.ts';
import { ReviewServer } from '../../../src/ops/review-server.ts';
import { until } from '../../cluster/wait.ts';

const host = 'webhook.test.svc';
let first: KeyPair;
let second: KeyPair;
beforeAll(async () => {
  const order = { host, now: new Date(), lifeMs: 3_600_000 };
  [first, second] = await Promise.all([issue(order), issue(order)]);
});

let server: ReviewServer;
let refused: string[];
let answer: (body: unknown) => Promise<unknown>;
beforeEach(async () => {
  refused = [];
  answer = (body) => Promise.resolve({ body });
  server = await ReviewServer.start({
    ...{ host: '127.0.0.1', port: 0 },
    answer: (path, body) => (path === '/pods' ? answer(body) : Promise.resolve(undefined)),
    onRefused: (why) => refused.push(why),
  });
});
afterEach(() => server.close());

interface Said {
  readonly status: number;
  readonly text: string;
}

/** As an API server asks that trusts this authority. */
function ask(body: string, { ca = first.authorities.join(''), path = '/pods' } = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: server.port,
      path,
      method: 'POST',
      servername: host,
      ca,
      agent: false,
    };
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    call.on('error', reject).end(body);
  });
}

const question = 'POST /pods HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}';

const secure = () =>
  new Promise<TLSSocket>((resolve) => {
    const options = { host: '127.0.0.1', port: server.port, servername: host };
    const socket = connectSecurely({ ...options, ca: first.authorities.join('') }, () => {
      resolve(socket);
    });
    socket.on('error', () => undefined);
  });

test('nobody is answered before there is a certificate', async () => {
  await expect(ask('{}')).rejects.toThrow();
  server.serveBy(first);
  expect(await ask('{"a":1}')).toEqual({ status: 200, text: '{"body":{"a":1}}' });
});

test('another certificate is served from the next connection on', async () => {
  server.serveBy(first);
  await ask('{}');
  server.serveBy(second);
  await expect(ask('{}')).rejects.toThrow(/certificate/);
  expect((await ask('{}', { ca: second.authorities.join('') })).status).toBe(200);
});

interface Refused {
  readonly body: string;
  readonly path?: string;
  readonly status: number;
  readonly why: RegExp;
}

test.each<[string, Refused]>([
  ['is no JSON', { body: 'pods', status: 400, why: /JSON/ }],
  ['is empty', { body: '', status: 400, why: /JSON/ }],
  ['is for nobody', { body: '{}', path: '/', status: 400, why: /no question/ }],
  ['is too long', { body: `"${'x'.repeat(4 * 2 ** 20)}"`, status: 413, why: /too long/ }],
  // None of them is whole: whoever parses says so.
  ['has a million objects', { body: '{},'.repeat(2 ** 20), status: 413, why: /more values than any pod/ }],
  ['is nested a million times', { body: '['.repeat(2 ** 20), status: 413, why: /deeper than any/ }],
])('a body that %s is refused, and told of', async (_what, { body, path = '/pods', status, why }) => {
  server.serveBy(first);
  expect((await ask(body, { path })).status).toBe(status);
  expect(refused).toEqual([expect.stringMatching(why)]);
  expect((await ask('{}')).status).toBe(200);
});

/** As API servers send it: who manages the fields says each of their names once more. */
function podOf(variables: number) {
  const names = Array.from({ length: variables }, (_, index) => `VARIABLE_${index}`);
  const fields = names.map((name): [string, object] => [
    `k:{"name":"${name}"}`,
    { '.': {}, 'f:name': {}, 'f:value': {} },
  ]);
  const managed = {
    'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:env': Object.fromEntries(fields) } } },
  };
  return {
    metadata: { name: 'app', managedFields: [{ fieldsType: 'FieldsV1', fieldsV1: managed }] },
    spec: {
      containers: [{ name: 'app', env: names.map((name) => ({ name, value: `the value of ${name}` })) }],
    },
  };
}

test('a pod as large as one can be is answered, beside bodies that would take seconds to parse', async () => {
  server.serveBy(first);
  answer = () => Promise.resolve({ isRead: true });
  const large = JSON.stringify(podOf(12_000));
  expect(large.length).toBeGreaterThan(1.4 * 2 ** 20);
  const heavy = Array.from({ length: 6 }, () => ask(`[${'{},'.repeat(2 ** 20)}{}]`));
  expect(await ask(large)).toEqual({ status: 200, text: '{"isRead":true}' });
  expect((await Promise.all(heavy)).map(({ status }) => status)).toEqual(heavy.map(() => 413));
});

test('of bodies that come together, one is parsed in a turn of the event loop', async () => {
  server.serveBy(first);
  let turn = 0;
  let counting = setImmediate(function count() {
    turn += 1;
    counting = setImmediate(count);
  });
  const turns: number[] = [];
  answer = () => {
    turns.push(turn);
    return Promise.resolve({});
  };
  const sockets = await Promise.all(Array.from({ length: 20 }, secure));
  for (const socket of sockets) socket.write(question);
  await Promise.all(sockets.map((socket) => once(socket, 'data')));
  clearImmediate(counting);
  expect(new Set(turns).size).toBe(20);
});

test('a body counts among those that are read until it is answered', async () => {
  server.serveBy(first);
  const go = Promise.withResolvers<object>();
  let asked = 0;
  answer = () => {
    asked += 1;
    return go.promise;
  };
  const body = `"${'x'.repeat(3.9 * 2 ** 20)}"`;
  const eight = Array.from({ length: 8 }, () => ask(body));
  await until('all are being answered', () => asked === 8);
  expect((await ask(body)).status).toBe(413);
  go.resolve({});
  expect((await Promise.all(eight)).map(({ status }) => status)).toEqual(eight.map(() => 200));
  expect((await ask(body)).status).toBe(200);
});

test('a client that asks again before it is answered is let go, and what it asked is not answered', async () => {
  server.serveBy(first);
  let asked = 0;
  answer = () => {
    asked += 1;
    return new Promise(() => undefined);
  };
  const socket = await secure();
  const ended = once(socket, 'close');
  socket.write(question.repeat(500));
  await ended;
  expect(refused[0]).toBe('it was asked before the last answer was given');
  expect(asked).toBeLessThanOrEqual(1);
});

test('what fails while it is answered is an answer, too', async () => {
  server.serveBy(first);
  answer = () => Promise.reject(new Error('a fault'));
  expect((await ask('{}')).status).toBe(400);
  expect(refused).toEqual(['a fault']);
});

describe('a server that is told to end', () => {
  test.each([
    ['has sent half a header', 'POST /pods HTTP/1.1\r\nhost: x'],
    ['has sent half a body', 'POST /pods HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{'],
  ])('does not wait for a client that %s', async (_what, sent) => {
    server.serveBy(first);
    const socket = await secure();
    socket.write(sent);
    await ask('{}');
    const ended = once(socket, 'close');
    await server.close();
    await ended;
  });

  test('does not wait for one that never begins to speak TLS', async () => {
    server.serveBy(first);
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    await ask('{}');
    await server.close();
    socket.destroy();
  });

  test('answers the question under way, and no other on the same connection', async () => {
    server.serveBy(first);
    const asked = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    answer = async () => {
      asked.resolve();
      await go.promise;
      return { last: true };
    };
    const socket = await secure();
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    socket.write(question);
    await asked.promise;
    const closed = server.close();
    go.resolve();
    await once(socket, 'end');
    socket.write(question);
    await closed;
    expect(said.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200']);
    expect(said).toContain('{"last":true}');
  });
});
