import { isDeepStrictEqual } from 'node:util';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Account } from '../../../src/kube/account.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain, type Connection } from '../../../src/kube/connection.ts';
import { Lease } from '../../../src/kube/lease.ts';
import { FakeApiServer, json, status, type Answer } from '../../support/api-server.ts';
import { HandClock } from './hand-clock.ts';
import { notebook } from './world.ts';

interface Stored {
  readonly metadata: {
    name: string;
    namespace: string;
    resourceVersion?: string;
    ownerReferences?: readonly object[];
  };
  readonly spec: { holderIdentity: string; renewTime: string; leaseTransitions: number };
}

let server: FakeApiServer;
let connection: Connection;
let stored: Stored | undefined;
let version: number;

/** One Lease with optimistic concurrency, as the API server keeps it. */
const leases: Answer = (response, asked) => {
  const body = asked.body as Stored;
  const refuse = (code: number, reason: string) => status(code, reason)(response, asked);
  if (asked.method === 'GET') return stored ? json(stored)(response, asked) : refuse(404, 'NotFound');
  if (asked.method === 'POST' && stored) return refuse(409, 'AlreadyExists');
  if (asked.method === 'PUT') {
    if (!stored) return refuse(404, 'NotFound');
    if (body.metadata.resourceVersion !== stored.metadata.resourceVersion) return refuse(409, 'Conflict');
  }
  stored = {
    ...body,
    metadata: { ...body.metadata, resourceVersion: `${++version}` },
  };
  return json(stored)(response, asked);
};

beforeEach(async () => {
  server = await FakeApiServer.start();
  connection = plain(server.url);
  stored = undefined;
  version = 0;
  server.otherwise = leases;
});

afterEach(async () => {
  await connection.close();
  await server.close();
});

function candidate(identity: string, account?: () => Account) {
  const clock = new HandClock();
  const leaders: (string | undefined)[] = [];
  const stop = new AbortController();
  const lease = new Lease({
    client: new ApiClient(connection),
    namespace: 'keepalive-system',
    name: 'keepalive-controller',
    identity,
    account,
    log: notebook().log,
    onLeaderChanged: (holder) => leaders.push(holder),
    clock,
    random: () => 0,
  });
  return { lease, clock, leaders, stop };
}

test('the first candidate gets the lease, the second waits for as long as it is renewed', async () => {
  const [one, two] = [candidate('one'), candidate('two')];
  expect(await one.lease.acquire(one.stop.signal)).toBe(true);
  const held = one.lease.hold(one.stop.signal);
  const waiting = two.lease.acquire(two.stop.signal);
  // A minute of renewals: each round both come by once.
  for (let round = 0; round < 30; round++) {
    const before = server.asked.length;
    await one.clock.asleep(2_000);
    await two.clock.asleep(2_000);
    one.clock.advance(2_000);
    await one.clock.asleep(2_000);
    two.clock.advance(2_000);
    await server.received(before + 2);
  }
  expect([one.lease.leading, two.lease.leading]).toEqual([true, false]);
  expect(two.leaders).toEqual(['one']);
  one.stop.abort();
  two.stop.abort();
  expect([await held, await waiting]).toEqual(['released', false]);
});

test('a release hands over at the next look, without waiting for the end', async () => {
  const [one, two] = [candidate('one'), candidate('two')];
  await one.lease.acquire(one.stop.signal);
  const held = one.lease.hold(one.stop.signal);
  const waiting = two.lease.acquire(two.stop.signal);
  await two.clock.asleep(2_000);
  one.stop.abort();
  expect(await held).toBe('released');
  expect(stored?.spec.holderIdentity).toBe('');
  two.clock.advance(2_000);
  expect(await waiting).toBe(true);
  expect(stored?.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
  expect(two.leaders).toEqual(['one', undefined, 'two']);
});

test('a silent holder is replaced when its record did not change for 15 s of our own clock', async () => {
  const [one, two] = [candidate('one'), candidate('two')];
  await one.lease.acquire(one.stop.signal);
  // Its own clock is years ahead, which must not make its lease any longer.
  stored = stored && { ...stored, spec: { ...stored.spec, renewTime: '2099-01-01T00:00:00.000000Z' } };
  const waiting = two.lease.acquire(two.stop.signal);
  for (let round = 0; round < 7; round++) {
    await two.clock.asleep(2_000);
    two.clock.advance(2_000);
  }
  await two.clock.asleep(2_000);
  expect([two.lease.leading, two.clock.passedMs]).toEqual([false, 14_000]);
  two.clock.advance(2_000);
  expect(await waiting).toBe(true);
});

test('who finds another holder in the record has lost', async () => {
  const one = candidate('one');
  await one.lease.acquire(one.stop.signal);
  const held = one.lease.hold(one.stop.signal);
  stored = stored && {
    metadata: { ...stored.metadata, resourceVersion: '99' },
    spec: { ...stored.spec, holderIdentity: 'two' },
  };
  await one.clock.asleep(2_000);
  one.clock.advance(2_000);
  expect(await held).toBe('lost');
  expect([one.lease.leading, stored?.spec.holderIdentity]).toEqual([false, 'two']);
});

test('a lease that somebody deletes is made again at the next renewal by who holds it', async () => {
  const one = candidate('one');
  await one.lease.acquire(one.stop.signal);
  const held = one.lease.hold(one.stop.signal);
  stored = undefined;
  await one.clock.asleep(2_000);
  one.clock.advance(2_000);
  await one.clock.asleep(2_000);
  expect(stored).toMatchObject({ spec: { holderIdentity: 'one' } });
  // Past the deadline of what was deleted.
  for (let round = 0; round < 5; round++) {
    one.clock.advance(2_000);
    await one.clock.asleep(2_000);
    expect(one.lease.leading).toBe(true);
  }
  one.stop.abort();
  expect([await held, one.leaders]).toEqual(['released', ['one', undefined, 'one', undefined]]);
});

test.each([
  ['before', 'PUT'],
  ['while', 'POST'],
])(
  'a lease that is deleted and made by another %s its holder comes by is lost at once',
  async (_when, method) => {
    const [one, two] = [candidate('one'), candidate('two')];
    await one.lease.acquire(one.stop.signal);
    const held = one.lease.hold(one.stop.signal);
    await one.clock.asleep(2_000);
    stored = undefined;
    server.otherwise = async (response, asked) => {
      if (
        asked.method === method &&
        (asked.body as Stored).spec.holderIdentity === 'one' &&
        stored === undefined
      ) {
        server.otherwise = leases;
        await two.lease.acquire(two.stop.signal);
      }
      await leases(response, asked);
    };
    one.clock.advance(2_000);
    expect(await held).toBe('lost');
    expect([one.lease.leading, stored]).toMatchObject([false, { spec: { holderIdentity: 'two' } }]);
  },
);

test('who cannot renew for 10 s has lost, before anybody else may take over', async () => {
  const one = candidate('one');
  await one.lease.acquire(one.stop.signal);
  const held = one.lease.hold(one.stop.signal);
  server.otherwise = status(503, 'ServiceUnavailable');
  while (one.clock.now() < 10_000) {
    await one.clock.asleep(2_000);
    expect(one.lease.leading).toBe(true);
    one.clock.advance(2_000);
  }
  expect(await held).toBe('lost');
  expect(one.lease.leading).toBe(false);
});

test('who can renew again in the last seconds before the deadline keeps the lead', async () => {
  const one = candidate('one');
  await one.lease.acquire(one.stop.signal);
  const held = one.lease.hold(one.stop.signal);
  server.otherwise = status(503, 'ServiceUnavailable');
  // Past six seconds a try may take no more than what is left, which is no whole number of milliseconds.
  for (let round = 0; round < 4; round++) {
    await one.clock.asleep(2_000);
    if (round === 3) server.otherwise = leases;
    one.clock.advance(2_000);
  }
  await one.clock.asleep(2_000);
  one.clock.advance(2_000);
  await one.clock.asleep(2_000);
  expect(one.lease.leading).toBe(true);
  one.stop.abort();
  expect(await held).toBe('released');
});

test('of two that see a free lease at once, one gets it', async () => {
  const candidates = ['one', 'two'].map((identity) => candidate(identity));
  stored = undefined;
  const attempts = candidates.map(({ lease, stop }) => lease.acquire(stop.signal));
  await Promise.race(attempts);
  for (const { stop } of candidates) stop.abort();
  expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1);
});

describe('a lease goes with the account of whoever holds it:', () => {
  const account = { namespace: 'keepalive-system', name: 'keepalive-controller', uid: 'of-now' };
  const owner = (uid: string) => ({
    ...{ apiVersion: 'v1', kind: 'ServiceAccount', name: 'keepalive-controller' },
    uid,
  });
  const foreign = { apiVersion: 'v1', kind: 'ConfigMap', name: 'keepalive-controller', uid: 'of-a-tool' };
  const before = (...ownerReferences: readonly object[]) => {
    stored = {
      metadata: {
        ...{ name: 'keepalive-controller', namespace: 'keepalive-system', resourceVersion: `${++version}` },
        ownerReferences,
      },
      spec: { holderIdentity: '', renewTime: '2026-01-01T00:00:00.000000Z', leaseTransitions: 1 },
    };
  };
  const owners = () => stored?.metadata.ownerReferences;
  /** What OwnerReferencesPermissionEnforcement does to whoever may not delete a Lease. */
  const guarded: Answer = (response, asked) => {
    const { ownerReferences: wanted = [] } = (asked.body as Stored | undefined)?.metadata ?? {};
    const isChanged = asked.method === 'PUT' && !isDeepStrictEqual(wanted, owners() ?? []);
    return isChanged ? status(403, 'Forbidden')(response, asked) : leases(response, asked);
  };

  test('it is made so', async () => {
    const one = candidate('one', () => account);
    expect(await one.lease.acquire(one.stop.signal)).toBe(true);
    expect(owners()).toEqual([owner('of-now')]);
  });

  test.each<[string, readonly object[], readonly object[]]>([
    ['without an owner', [], [owner('of-now')]],
    ['of an account of that name that was before', [owner('of-before')], [owner('of-now')]],
    ['that somebody else owns too', [foreign], [foreign, owner('of-now')]],
  ])('one that is there %s is given it', async (_, there, expected) => {
    before(...there);
    const one = candidate('one', () => account);
    expect(await one.lease.acquire(one.stop.signal)).toBe(true);
    expect(owners()).toEqual(expected);
  });

  test('a token that the account has anew says it from the next renewal on', async () => {
    let { uid } = account;
    const one = candidate('one', () => ({ ...account, uid }));
    await one.lease.acquire(one.stop.signal);
    const held = one.lease.hold(one.stop.signal);
    uid = 'of-later';
    await one.clock.asleep(2_000);
    one.clock.advance(2_000);
    await one.clock.asleep(2_000);
    expect(owners()).toEqual([owner('of-later')]);
    one.stop.abort();
    expect([await held, owners()]).toEqual(['released', [owner('of-later')]]);
  });

  test.each<[string, readonly object[]]>([
    ['is made without, and', []],
    ['keeps those that it has, and', [foreign]],
  ])('in another namespace it %s nobody looks for an owner that cannot be there', async (_, there) => {
    if (there.length > 0) before(...there);
    const one = candidate('one', () => ({ ...account, namespace: 'elsewhere' }));
    expect(await one.lease.acquire(one.stop.signal)).toBe(true);
    expect(owners()).toEqual(there);
  });

  test('where owners are guarded, one that is there is led by all the same, and the next is made so', async () => {
    server.otherwise = guarded;
    before();
    const one = candidate('one', () => account);
    expect(await one.lease.acquire(one.stop.signal)).toBe(true);
    expect(stored).toMatchObject({ metadata: { ownerReferences: [] }, spec: { holderIdentity: 'one' } });
    const held = one.lease.hold(one.stop.signal);
    const asked = server.asked.length;
    await one.clock.asleep(2_000);
    one.clock.advance(2_000);
    await one.clock.asleep(2_000);
    expect(server.asked.length).toBe(asked + 1);
    stored = undefined;
    one.clock.advance(2_000);
    await one.clock.asleep(2_000);
    expect(owners()).toEqual([owner('of-now')]);
    one.stop.abort();
    expect(await held).toBe('released');
  });

  test('who may not write it at all is told so, and does not lead', async () => {
    before();
    const { otherwise } = server;
    server.otherwise = (response, asked) =>
      asked.method === 'PUT' ? status(403, 'Forbidden')(response, asked) : otherwise(response, asked);
    const one = candidate('one', () => account);
    const acquired = one.lease.acquire(one.stop.signal);
    await one.clock.asleep(4_000);
    one.stop.abort();
    expect([await acquired, one.lease.leading]).toEqual([false, false]);
  });
});
