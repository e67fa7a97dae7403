import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { ServerTime } from '../../../src/kube/server-time.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { HandClock } from './hand-clock.ts';

const date = 'Mon, 04 May 2026 10:00:00 GMT';
const signal = new AbortController().signal;
let server: FakeApiServer;
let client: ApiClient;
let clock: HandClock;
let time: ServerTime;

beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  clock = new HandClock();
  time = new ServerTime(client, clock);
});
afterEach(async () => {
  await client.close();
  await server.close();
});

test('it is what the API server says, gone on from for a minute', async () => {
  server.answers(json({}, 200, { date }));
  expect(Math.floor((await time.now(signal)).getTime())).toBe(Date.parse(date));
  clock.advance(50_000);
  expect(Math.floor((await time.now(signal)).getTime())).toBe(Date.parse(date) + 50_000);
  clock.advance(50_000);
  server.answers(json({}, 200, { date }));
  expect(Math.floor((await time.now(signal)).getTime())).toBe(Date.parse(date));
});

const undated: Answer = (response, asked) => {
  response.sendDate = false;
  return json({})(response, asked);
};

test.each<[string, Answer]>([
  ['does not say', undated],
  ['may not be asked', status(403, 'Forbidden')],
  ['is behind a gateway that does not know the path', status(404, 'NotFound')],
])('it is that of this machine where the API server %s', async (_sentence, answer) => {
  server.answers(answer);
  const before = Date.now();
  expect((await time.now(signal)).getTime()).toBeGreaterThanOrEqual(before);
});

test('what fails is no time', async () => {
  server.answers(status(500, 'InternalError'));
  await expect(time.now(signal)).rejects.toThrow('InternalError');
});
