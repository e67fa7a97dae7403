import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { ServerTime } from '../../../src/kube/server-time.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, json, status, stream } from '../../support/api-server.ts';
import { HandClock } from './hand-clock.ts';

const date = 'Mon, 04 May 2026 10:00:00 GMT';
const at = Date.parse(date);
const pods = { group: '', version: 'v1', plural: 'pods' };

describe('of what was heard', () => {
  let clock: HandClock;
  let time: ServerTime;
  beforeEach(() => {
    clock = new HandClock();
    time = new ServerTime(clock);
  });
  const now = () => Math.floor(time.now().getTime());

  test('it goes on from there', () => {
    time.heard(at);
    clock.advance(50_000);
    expect(now()).toBe(at + 50_000);
  });

  test('it does not go back where an answer tells a second that began before, or is read late', () => {
    time.heard(at);
    clock.advance(900);
    time.heard(at);
    expect(now()).toBe(at + 900);
    clock.advance(4_000);
    time.heard(at + 1_000);
    expect(now()).toBe(at + 4_900);
  });

  test('the latest is nearest to it: each second is told as it began', () => {
    time.heard(at);
    clock.advance(100);
    time.heard(at + 1_000);
    expect(now()).toBe(at + 1_000);
  });

  test('it is put right where the clock of the API server is, either way', () => {
    time.heard(at);
    time.heard(at - 3_600_000);
    expect(now()).toBe(at - 3_600_000);
    time.heard(at);
    expect(now()).toBe(at);
  });

  test('what says nothing changes nothing, and where nothing did it is that of this machine', () => {
    time.heard(NaN);
    expect(Math.abs(time.now().getTime() - Date.now())).toBeLessThan(60_000);
    time.heard(at);
    time.heard(NaN);
    expect(now()).toBe(at);
  });
});

describe('a client', () => {
  let server: FakeApiServer;
  let client: ApiClient;
  beforeEach(async () => {
    server = await FakeApiServer.start();
    client = new ApiClient(plain(server.url), { clock: new HandClock() });
  });
  afterEach(async () => {
    await client.close();
    await server.close();
  });
  const isHeard = () => Math.floor(client.time.now().getTime()) === at;

  test('hears it of each answer', async () => {
    server.answers(json({ items: [] }, 200, { date }));
    await client.listPage(pods, {});
    expect(isHeard()).toBe(true);
  });

  test('hears it of a watch before its first event', async () => {
    const dated: Answer = (response, asked) => {
      response.setHeader('date', date);
      return stream()(response, asked);
    };
    server.answers(dated);
    await client.watch(pods, {}, {});
    expect(isHeard()).toBe(true);
  });

  test('takes it from nobody who answers instead of the API server', async () => {
    server.answers(status(502, 'BadGateway', '', { date }));
    await expect(client.listPage(pods, {})).rejects.toThrow('BadGateway');
    expect(isHeard()).toBe(false);
  });
});
