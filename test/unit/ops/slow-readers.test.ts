import { once } from 'node:events';
import { get } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { HealthServer, type HealthOptions } from '../../../src/ops/health.ts';
import { until } from '../../cluster/wait.ts';

/** More than the kernel takes for a connection that nobody reads (net.ipv4.tcp_wmem), on both sides. */
const page = 'x'.repeat(12 * 2 ** 20);
const question = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n';

let server: HealthServer;
const clients: Socket[] = [];

const start = async (more: Partial<HealthOptions> = {}) => {
  server = await HealthServer.start({
    host: '127.0.0.1',
    port: 0,
    live: {},
    ready: {},
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: page }),
    ...more,
  });
};
afterEach(async () => {
  for (const socket of clients.splice(0)) socket.destroy();
  await server.close();
});

/** Of the loopback every address is one's own. */
const addressOf = (client: number) => `127.0.1.${client}`;

/** Reads what comes first, and then nothing. */
function stalledAt(client: number, text = question): Socket {
  const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: addressOf(client) });
  socket.on('error', () => undefined);
  socket.once('data', () => socket.pause());
  socket.write(text);
  clients.push(socket);
  return socket;
}
const begun = () => clients.filter(({ bytesRead, closed }) => bytesRead > 0 && !closed).length;

function scrape(client: number, path = '/metrics'): Promise<number> {
  const asked = { port: server.port, host: '127.0.0.1', localAddress: addressOf(client), path };
  return new Promise((resolve, reject) => {
    let bytes = 0;
    get({ ...asked, agent: false }, (response) => {
      response.on('data', ({ length }: Buffer) => (bytes += length));
      response.once('error', reject).once('end', () => {
        resolve(bytes);
      });
    }).once('error', reject);
  });
}

/** What a client hears that reads on, having said all this. */
async function endOf(socket: Socket): Promise<string> {
  socket.resume();
  return once(socket, 'end').then(
    () => 'the end',
    (error: NodeJS.ErrnoException) => error.code ?? '',
  );
}

describe('of many that ask for a long page and do not read it', () => {
  beforeEach(() => start());

  test('each takes no copy of it', async () => {
    await scrape(1);
    const before = process.memoryUsage().rss;
    for (let client = 1; client <= 40; client += 1) stalledAt(client);
    // Each that is answered has something by then.
    await Promise.all([scrape(41, '/livez'), delay(500)]);
    expect((process.memoryUsage().rss - before) / page.length).toBeLessThan(6);
  });

  test('four are answered at a time, and one of each address', async () => {
    for (let client = 1; client <= 8; client += 1) for (let more = 0; more < 3; more += 1) stalledAt(client);
    await until('they are answered', () => begun() === 4);
    const addresses = clients
      .filter(({ bytesRead }) => bytesRead > 0)
      .map(({ localAddress }) => localAddress);
    expect(new Set(addresses).size).toBe(4);
  });

  test('those of few addresses keep nobody waiting', async () => {
    for (let more = 0; more < 90; more += 1) stalledAt((more % 3) + 1);
    await until('they are answered', () => begun() === 3);
    const startedAt = performance.now();
    expect(await scrape(9)).toBe(page.length);
    expect(performance.now() - startedAt).toBeLessThan(900);
  });

  test('those of many addresses keep others waiting for a second, and then go', async () => {
    for (let more = 0; more < 80; more += 1) stalledAt((more % 8) + 1);
    await until('they are answered', () => begun() === 4);
    expect(await scrape(9)).toBe(page.length);
  });

  test('none pays for the time in which nobody was served', async () => {
    const reader = stalledAt(1);
    await until('it is answered', () => begun() === 1);
    stalledAt(1);
    await scrape(2, '/livez');
    for (const startedAt = performance.now(); performance.now() < startedAt + 1_200;);
    let bytes = reader.bytesRead;
    reader.on('data', ({ length }: Buffer) => (bytes += length));
    expect([await endOf(reader), bytes > page.length]).toEqual(['the end', true]);
  });

  test('none that comes from elsewhere pushes out who reads', async () => {
    const reader = stalledAt(9);
    await until('it is answered', () => begun() === 1);
    for (let more = 0; more < 120; more += 1) {
      stalledAt((more % 3) + 1);
      // It is asking by then.
      expect(await scrape(8, '/livez')).toBe(3);
    }
    let bytes = reader.bytesRead;
    reader.on('data', ({ length }: Buffer) => (bytes += length));
    expect([await endOf(reader), bytes > page.length]).toEqual(['the end', true]);
  });
});

test('those who share an address are answered one after the other, as soon as each has read', async () => {
  await start({ metrics: () => Promise.resolve({ contentType: 'text/plain', text: 'up 1\n' }) });
  const startedAt = performance.now();
  expect(await Promise.all([1, 1, 1, 1].map((client) => scrape(client)))).toEqual(Array(4).fill(5));
  expect(performance.now() - startedAt).toBeLessThan(900);
});

describe('whoever has not read its answer takes nothing of it along: it is reset when it', () => {
  test.each([
    ['asks again', question],
    ['asks again by the older protocol', 'GET /livez HTTP/1.0\r\nconnection: keep-alive\r\n\r\n'],
    ['expects something', 'GET /livez HTTP/1.1\r\nhost: x\r\nexpect: much\r\n\r\n'],
    ['wants to be continued', 'GET /livez HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\r\n'],
    ['asks for a tunnel', 'CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n'],
    ['asks nobody', 'GET /livez HTTP/1.1\r\n\r\n'],
    ['speaks something else', 'EHLO x\r\n'],
    ['speaks the next protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s', async (_, more) => {
    await start();
    const socket = stalledAt(1);
    await until('it is answered', () => begun() === 1);
    socket.write(more);
    expect(await endOf(socket)).toBe('ECONNRESET');
    expect(socket.bytesRead).toBeLessThan(page.length);
  });

  test('ends its side', async () => {
    await start();
    const socket = stalledAt(1);
    await until('it is answered', () => begun() === 1);
    socket.end();
    expect(await endOf(socket)).toBe('ECONNRESET');
  });

  test('is silent', async () => {
    await start({ silentMs: 200 });
    const socket = stalledAt(1);
    await until('it is answered', () => begun() === 1);
    await delay(1_500);
    expect(await endOf(socket)).toBe('ECONNRESET');
  });
});

test('whoever speaks something else first is told so', async () => {
  await start();
  const socket = stalledAt(1, '\x16\x03\x01\x02\x00\x01');
  const [said] = (await once(socket, 'data')) as [Buffer];
  expect(said.toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
});
