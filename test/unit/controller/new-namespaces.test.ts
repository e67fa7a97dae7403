import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { NewNamespaces } from '../../../src/controller/new-namespaces.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { HandClock } from '../kube/hand-clock.ts';

const nothing = json({ metadata: {}, items: [] });
const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `made-up-${index}`);

let server: FakeApiServer;
let client: ApiClient;
let clock: HandClock;
let failed: string[];
let namespaces: NewNamespaces;
beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  clock = new HandClock();
  failed = [];
  namespaces = new NewNamespaces({ client, clock, onFailed: (name) => failed.push(name) });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

test('of a hundred that nobody tells of eight are asked for, and the others do not wait for those', async () => {
  const names = namesOf(100);
  const settled: string[] = [];
  const all = names.map((name) => namespaces.find(name).finally(() => settled.push(name)));
  await Promise.all(all);
  expect(settled.slice(0, 92)).toEqual(names.slice(8));
  expect(server.asked).toHaveLength(8);
  expect(failed.sort()).toEqual(names.slice(0, 8).sort());
});

test('one that a hundred ask for at the same time is asked for once, and found for all of them', async () => {
  server.answers(json({ metadata: {}, items: [{ metadata: { name: 'new', uid: 'n' } }] }));
  const found = await Promise.all(Array.from({ length: 100 }, () => namespaces.find('new')));
  expect(found.filter((one) => one?.name === 'new')).toHaveLength(100);
  expect(server.asked).toHaveLength(1);
});

test.each([
  ['is not there', nothing],
  ['could not be read', status(500, 'InternalError')],
])('one that %s is asked for again after a moment, and not before', async (_what, answer) => {
  server.otherwise = answer;
  await namespaces.find('new');
  await namespaces.find('new');
  expect(server.asked).toHaveLength(1);
  clock.advance(1_500);
  await namespaces.find('new');
  expect(server.asked).toHaveLength(2);
});

test('who makes up ever more names is not followed: in a moment it is a bounded number, in the next one as many', async () => {
  server.otherwise = nothing;
  const each = async () => {
    for (const name of namesOf(200)) await namespaces.find(name);
    return server.asked.length;
  };
  expect(await each()).toBe(64);
  clock.advance(1_500);
  expect(await each()).toBe(128);
});
