import { afterEach, expect, test } from '@jest/globals';
import { HealthServer, type HealthOptions } from '../../../src/ops/health.ts';

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
