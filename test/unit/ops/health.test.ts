import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { HealthServer, type HealthOptions } from '../../../src/ops/health.ts';
import { until } from '../../cluster/wait.ts';

let server: HealthServer | undefined;

afterEach(() => server?.close());

async function ask(path: string, more: Partial<HealthOptions> & { method?: string } = {}) {
  const { method = 'GET', ...options } = more;
  server = await HealthServer.start({
    host: '127.0.0.1',
    port: 0,
    live: { loop: () => undefined },
    ready: { policies: () => undefined, pods: () => 'not listed yet' },
    metrics: () => Promise.resolve({ contentType: 'text/x-metrics', text: 'up 1\n' }),
    ...options,
  });
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return { code: response.status, text: await response.text(), headers: response.headers };
}

test.each([
  ['GET', '/livez', 200, 'ok\n'],
  ['GET', '/livez?verbose', 200, '[+] loop: ok\n'],
  ['GET', '/readyz', 503, '[-] pods: not listed yet\n'],
  ['GET', '/readyz?verbose', 503, '[+] policies: ok\n[-] pods: not listed yet\n'],
  ['GET', '/metrics', 200, 'up 1\n'],
  ['HEAD', '/livez', 200, ''],
  ['GET', '/', 404, 'not found: try /livez, /readyz or /metrics\n'],
  ['POST', '/livez', 405, 'only GET and HEAD\n'],
])('%s %s is answered with %i', async (method, path, code, text) => {
  expect(await ask(path, { method })).toMatchObject({ code, text });
});

test.each(['127.0.0.1', '[::1]'])('the address of every family is reached by %s', async (address) => {
  await ask('/livez', { host: '::' });
  const response = await fetch(`http://${address}:${server?.port}/livez`);
  expect(await response.text()).toBe('ok\n');
});

test('the metrics keep their content type', async () => {
  expect((await ask('/metrics')).headers.get('content-type')).toBe('text/x-metrics');
});

test('a check or a metric that throws is an error of the answer, not of the process', async () => {
  const metrics = () => Promise.reject(new Error('no figures'));
  expect(await ask('/metrics', { metrics })).toMatchObject({ code: 500, text: 'no figures\n' });
});

test('an address that is taken is told to the caller', async () => {
  await ask('/livez');
  const { port } = server as HealthServer;
  await expect(
    HealthServer.start({
      host: '127.0.0.1',
      port,
      live: {},
      ready: {},
      metrics: () => Promise.resolve({ contentType: '', text: '' }),
    }),
  ).rejects.toThrow('EADDRINUSE');
});

test('to close finishes the answer under way', async () => {
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<{ contentType: string; text: string }>();
  const metrics = () => {
    asked.resolve();
    return go.promise;
  };
  const answer = ask('/metrics', { metrics });
  await asked.promise;
  const closed = server?.close();
  go.resolve({ contentType: 'text/plain', text: 'the end\n' });
  expect((await answer).text).toBe('the end\n');
  await closed;
});

describe('of clients that ask and do not read', () => {
  const question = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n';
  const clients: Socket[] = [];
  let held: PromiseWithResolvers<{ contentType: string; text: string }>;
  let made: number;
  let requests: number;
  const countRequest = () => (requests += 1);
  beforeEach(async () => {
    held = Promise.withResolvers();
    [made, requests] = [0, 0];
    const metrics = () => {
      made += 1;
      return held.promise;
    };
    // None of them goes for its silence.
    await ask('/livez', { metrics, silentMs: 3_600_000 });
    subscribe('http.server.request.start', countRequest);
  });
  afterEach(() => {
    unsubscribe('http.server.request.start', countRequest);
    held.resolve({ contentType: 'text/plain', text: 'up 1\n' });
    for (const socket of clients.splice(0)) socket.destroy();
  });

  const saying = (text: string): Socket => {
    const socket = connect((server as HealthServer).port, '127.0.0.1', () => socket.write(text));
    socket.on('error', () => undefined);
    clients.push(socket);
    return socket;
  };
  const alive = async () => (await fetch(`http://127.0.0.1:${server?.port}/livez`)).status;

  test('one that asks 500 times is let go, and one text is made', async () => {
    const asked = saying(question.repeat(500));
    await until('it is let go', () => asked.closed);
    expect([made, await alive()]).toEqual([1, 200]);
  });

  test('each has the same text while it is made', async () => {
    const asked = [1, 2, 3].map(() => fetch(`http://127.0.0.1:${server?.port}/metrics`));
    await until('all have asked', () => requests === 3);
    held.resolve({ contentType: 'text/plain', text: 'up 1\n' });
    const texts = (await Promise.all(asked)).map((answer) => answer.text());
    expect([await Promise.all(texts), made]).toEqual([Array(3).fill('up 1\n'), 1]);
  });

  test('as many as have a place are there, and the kubelet is answered', async () => {
    for (let one = 0; one < 100; one += 1) saying(question);
    await until('all have asked', () => requests === 100);
    expect(await alive()).toBe(200);
  });
});

test('a client that reads a little at a time is let go before it has all', async () => {
  // More than the kernel takes for a connection that nobody reads (net.ipv4.tcp_wmem).
  const text = 'x'.repeat(12 * 2 ** 20);
  const metrics = () => Promise.resolve({ contentType: 'text/plain', text });
  await ask('/livez', { metrics, silentMs: 3_600_000, answerMs: 200 });
  const { port } = server as HealthServer;
  const socket = connect(port, '127.0.0.1', () => socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'));
  socket.on('data', () => {
    socket.pause();
    setTimeout(() => socket.resume(), 20);
  });
  // And the kernel does not go on for it with what it had of the answer.
  await expect(once(socket, 'end')).rejects.toThrow('ECONNRESET');
  expect(socket.bytesRead).toBeLessThan(text.length);
});

describe('however many connect and say nothing', () => {
  const silent: Socket[] = [];
  afterEach(() => {
    for (const socket of silent.splice(0)) socket.destroy();
  });

  const connecting = (port: number) =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', resolve);
      // Told, not thrown: the server ends some of them.
      socket.on('error', resolve);
      silent.push(socket);
    });

  test('the kubelet is answered, on a connection that it keeps as on a new one', async () => {
    // None of them goes for its silence.
    await ask('/livez', { silentMs: 3_600_000 });
    const { port } = server as HealthServer;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const asked = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const call = get({ port, path: '/livez', agent }, (response) => {
          response.resume().once('end', () => {
            resolve(response.statusCode);
          });
        });
        call.once('error', reject);
      });
    expect(await asked()).toBe(200);
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 300 }, () => connecting(port)));
      expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    }
    await until('they are few', () => silent.filter(({ closed }) => !closed).length <= 100);
    agent.destroy();
  });

  test('an answer that takes long is given', async () => {
    const asking = Promise.withResolvers<void>();
    const go = Promise.withResolvers<{ contentType: string; text: string }>();
    const answer = ask('/metrics', {
      metrics: () => {
        asking.resolve();
        return go.promise;
      },
    });
    await asking.promise;
    const { port } = server as HealthServer;
    await Promise.all(Array.from({ length: 300 }, () => connecting(port)));
    go.resolve({ contentType: 'text/plain', text: 'all of it\n' });
    expect((await answer).text).toBe('all of it\n');
  });

  test('it ends when it is told to, whoever has sent half a request', async () => {
    await ask('/livez', { silentMs: 3_600_000 });
    const { port } = server as HealthServer;
    await connecting(port);
    silent.at(-1)?.write('GET /livez HTTP/1.1\r\nhost: x');
    await fetch(`http://127.0.0.1:${port}/livez`);
    await server?.close();
  });
});
