import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiClient } from '../../../src/kube/client.ts';
import { hang, json, status, stream } from '../../support/api-server.ts';
import { ReflectorRig } from './reflector-rig.ts';
import { added, listEnd, pod } from './world.ts';

let rig: ReflectorRig;
let server: ReflectorRig['server'];

beforeEach(async () => {
  rig = await ReflectorRig.create();
  server = rig.server;
});

afterEach(() => rig.close());

describe('stops at once and asks nothing more', () => {
  const settled = async (count: number) => {
    rig.stop.abort();
    await rig.running;
    // A request sent after the stop would reach the server before this one.
    await new ApiClient(rig.connection, { timeoutMs: 5_000 }).get({
      group: '',
      version: 'v1',
      plural: 'x',
      name: 'y',
    });
    expect(server.asked.map(({ path }) => path)).toHaveLength(count + 1);
  };

  beforeEach(() => {
    server.otherwise = json({});
  });

  test('before it began', async () => {
    rig.stop.abort();
    rig.start();
    await settled(0);
  });

  test.each([
    ['while connecting', [hang], 1],
    ['while a list is read', [stream(added(pod('a', 1)))], 1],
    ['while a page is on its way', [status(422, 'Invalid'), hang], 2],
    ['while a quiet watch is open', [stream(listEnd(10))], 1],
  ])('%s', async (_name, script, requests) => {
    server.answers(...script);
    rig.start();
    await server.received(requests);
    await settled(requests);
  });

  test('while it sleeps', async () => {
    server.answers(status(500, 'InternalError'));
    const { clock } = rig.start();
    await clock.asleep(29_999);
    await settled(1);
    expect(clock.pending).toEqual([]);
  });
});
