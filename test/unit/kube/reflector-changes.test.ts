import { setImmediate } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { status, stream, streamThenEnd, streamThenReset } from '../../support/api-server.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { LoopTurns } from '../../support/loop-turns.ts';
import type { Trimmed } from './reflector-rig.ts';
import { ReflectorRig, trim } from './reflector-rig.ts';
import { added, bookmark, deleted, listEnd, modified, pod } from './world.ts';

let rig: ReflectorRig;
let server: ReflectorRig['server'];

beforeEach(async () => {
  rig = await ReflectorRig.create();
  server = rig.server;
});

afterEach(() => rig.close());

async function untilFollowing(reflector: { readonly secondsInterrupted: number }): Promise<void> {
  while (reflector.secondsInterrupted > 0) await setImmediate();
}

test('the same trouble is logged once, and its end once', async () => {
  server.answers(streamThenEnd(listEnd(10)));
  server.answers(status(500, 'InternalError'), status(500, 'InternalError'), status(500, 'InternalError'));
  server.answers(stream(bookmark(11), added(pod('a', 12))));
  const { passPause, changed, lines } = rig.start();
  expect([await passPause(), await passPause(), await passPause()]).toEqual([200, 400, 800]);
  await changed(1);
  expect(lines.filter(({ level }) => level !== 'debug').map(({ message }) => message)).toEqual([
    'watch interrupted',
    'watch is sound again',
  ]);
});

describe('a watch of a kind whose schema may grow', () => {
  const doubt = { minSeconds: 2, maxSeconds: 20 };
  const list = stream(added(pod('a', 11, { note: 'new' })), listEnd(11));
  /** A watch that goes on until it is told to end. */
  const held = stream(bookmark(12));
  const early = streamThenEnd(listEnd(10), added(pod('a', 11)));

  test('that the server ends before its time goes on at once, and a list follows: what it told may have lacked new fields', async () => {
    let end = () => {};
    server.answers(early, async (response, asked) => {
      await held(response, asked);
      end = () => response.end();
    });
    server.answers(list);
    const { clock, changed, store, lines } = rig.start({ doubt, random: () => 0.5 });
    await changed(1);
    await server.received(2);
    expect(rig.queries[1]).toMatchObject({ resourceVersion: '11', timeoutSeconds: '11' });
    clock.advance(11_000);
    end();
    await changed(2);
    expect(rig.queries[2]).toMatchObject({ sendInitialEvents: 'true', timeoutSeconds: '450' });
    expect(store.get('db/a')).toMatchObject({ note: 'new' });
    expect(lines).toEqual([]);
  });

  test('is listed when it is due, though its watches end early again', async () => {
    const again = streamThenEnd(bookmark(12));
    const { clock } = rig.start({ doubt, random: () => 0.5 });
    server.answers(early, again, (response, asked) => {
      clock.advance(11_000);
      return again(response, asked);
    });
    server.answers(list);
    await server.received(4);
    expect(rig.queries[3]).toMatchObject({ sendInitialEvents: 'true' });
  });

  test('that ends at its time goes on from there', async () => {
    server.answers(early, stream());
    const { clock } = rig.start({ doubt, onChange: () => clock.advance(600_000) });
    await server.received(2);
    expect(rig.queries[1]).toMatchObject({ resourceVersion: '11', timeoutSeconds: '600' });
  });

  test('and one of any other kind goes on without a list', async () => {
    server.answers(early, stream());
    rig.start();
    await server.received(2);
    expect(rig.queries[1]).toMatchObject({ resourceVersion: '11', timeoutSeconds: '600' });
  });
});

/** An API server whose etcd was restored: it sends nothing up to the position that it is asked for. */
describe('a watch that is silent for minutes and ends', () => {
  const restored = stream(added(pod('c', 5)), listEnd(6));

  test.each([
    ['is followed by a list where bookmarks came before', bookmark(12), true],
    ['goes on where none ever came', modified(pod('a', 12)), false],
  ])('%s', async (_name, before, isListed) => {
    const end = Promise.withResolvers<void>();
    server.answers(streamThenEnd(added(pod('a', 1)), listEnd(10), before), async (response, asked) => {
      await stream(added(pod('b', 13)))(response, asked);
      await end.promise;
      response.end();
    });
    server.answers(isListed ? restored : stream());
    const { changed, clock, lines, store } = rig.start();
    await changed(2);
    clock.advance(181_000);
    end.resolve();
    await server.received(3);
    expect(rig.queries[2]).toMatchObject(
      isListed ? { sendInitialEvents: 'true' } : { resourceVersion: '13' },
    );
    if (isListed) await changed(5);
    expect([...store.keys()]).toEqual(isListed ? ['db/c'] : ['db/a', 'db/b']);
    expect(lines.map(({ message }) => message)).toEqual(
      isListed ? ['silent for too long: listing anew'] : [],
    );
  });
});

test('a list that the server has taken is no contact before something of it comes', async () => {
  const taken = Promise.withResolvers<void>();
  const client = new ApiClient(rig.connection, { onExchange: () => taken.resolve() });
  const { reflector, clock } = rig.start({ client });
  server.answers((response, asked) => {
    clock.advance(10_000);
    return stream()(response, asked);
  });
  await taken.promise;
  await setImmediate();
  expect(reflector.secondsSinceContact).toBeCloseTo(10);
});

test('a character cut in two by the end of a chunk is read whole', async () => {
  const line = Buffer.from(JSON.stringify(added(pod('a', 11, { note: 'grüße 🌍' }))) + '\n');
  const pieces = Array.from(line, (_, at) => line.subarray(at, at + 1));
  server.answers(stream(listEnd(10), ...pieces));
  const { store, changed } = rig.start();
  await changed(1);
  expect(store.get('db/a')?.note).toBe('grüße 🌍');
});

test('a relist of an unchanged world calls no handler', async () => {
  server.answers(streamThenEnd(added(pod('a', 1)), added(pod('b', 2)), listEnd(10)), status(410, 'Expired'));
  server.answers(stream(added(pod('b', 12)), added(pod('a', 11)), listEnd(20), added(pod('c', 21))));
  const { passPause, changed, changes } = rig.start();
  await passPause();
  await changed(3);
  expect(changes).toEqual(['db/a', 'db/b', 'db/c']);
});

test('an object deleted and made again in a gap is a change, though it looks the same', async () => {
  server.answers(streamThenEnd(added(pod('a', 1)), listEnd(10)), status(410, 'Expired'));
  server.answers(stream(added(pod('a', 19, { uid: 'another' })), listEnd(20)));
  const { passPause, changed, changes, store } = rig.start();
  await passPause();
  await changed(2);
  expect(changes).toEqual(['db/a', 'db/a']);
  expect(store.get('db/a')?.uid).toBe('another');
});

test('an update that trimming hides is no change, a deletion is', async () => {
  server.answers(stream(added(pod('a', 1)), listEnd(10), modified(pod('a', 11)), deleted(pod('a', 12))));
  const { changed, changes, store } = rig.start();
  await changed(2);
  expect(changes).toEqual(['db/a', 'db/a']);
  expect(store.size).toBe(0);
});

test('an object that is held by what tells of it is not trimmed, but where it comes in a list', async () => {
  const again = modified(pod('a', 12, { note: 'unread' }));
  server.answers(streamThenEnd(added(pod('a', 1)), listEnd(10), again), status(410, 'Expired'));
  server.answers(stream(added(pod('a', 12, { note: 'read' })), listEnd(20)));
  const isHeld = ({ metadata }: KubeObject, { uid }: Trimmed) => metadata.uid === uid;
  const { passPause, changed, changes, store } = rig.start({ isHeld });
  await passPause();
  expect([changes, store.get('db/a')?.note]).toEqual([['db/a'], '']);
  await changed(2);
  expect(store.get('db/a')?.note).toBe('read');
});

test('a handler or a trim that throws is logged and ends nothing', async () => {
  server.answers(stream(added(pod('bad', 1)), added(pod('a', 2)), listEnd(10), added(pod('b', 11))));
  const seen: string[] = [];
  const both = Promise.withResolvers<void>();
  const { lines, store } = rig.start({
    trim: (object) => {
      if (object.metadata.name === 'bad') throw new Error('cannot read this');
      return trim(object);
    },
    onChange: (key) => {
      seen.push(key);
      if (seen.length === 2) both.resolve();
      throw new Error('boom');
    },
  });
  await both.promise;
  expect([seen, [...store.keys()]]).toEqual([
    ['db/a', 'db/b'],
    ['db/a', 'db/b'],
  ]);
  expect(lines.filter(({ level }) => level === 'error').map(({ facts }) => facts.key)).toEqual([
    'db/bad',
    'db/a',
    'db/b',
  ]);
});

test('tells how long nothing was heard', async () => {
  server.answers(stream(listEnd(10)));
  const { reflector, clock } = rig.start();
  await reflector.whenSynced;
  clock.advance(45_000);
  expect(reflector.secondsSinceContact).toBeCloseTo(45);
});

test('tells that it has fallen behind, until it follows again', async () => {
  server.answers(streamThenReset(listEnd(10)), status(503, 'ServiceUnavailable'), stream());
  const { reflector, clock, passPause } = rig.start();
  await reflector.whenSynced;
  await passPause();
  await clock.asleep(29_999);
  expect(reflector.secondsInterrupted).toBeCloseTo(0.2);
  clock.advance(1_000);
  await server.received(3);
  await untilFollowing(reflector);
  expect(reflector.secondsInterrupted).toBe(0);
});

test('tells by what it was interrupted the last time, until it follows again', async () => {
  server.answers(
    streamThenReset(listEnd(10)),
    ...[status(503, 'ServiceUnavailable'), status(403, 'Forbidden'), stream(added(pod('a', 12)))],
  );
  const { reflector, passPause, changed } = rig.start();
  await reflector.whenSynced;
  expect(reflector.interruptedBy).toBeUndefined();
  await passPause();
  await passPause();
  await server.received(3);
  await passPause();
  expect(reflector.interruptedBy).toMatchObject({ status: 403 });
  await changed(1);
  expect(reflector.interruptedBy).toBeUndefined();
});

test('has fallen behind until a list is whole', async () => {
  let finish = () => {};
  server.answers(streamThenEnd(listEnd(10)), status(410, 'Expired'), async (response, asked) => {
    await stream(added(pod('a', 12)))(response, asked);
    finish = () => void response.write(`${JSON.stringify(listEnd(20))}\n`);
  });
  const { reflector, passPause, changed, store } = rig.start();
  await passPause();
  await server.received(3);
  expect(reflector.secondsInterrupted).toBeGreaterThan(1.9);
  finish();
  await changed(1);
  await untilFollowing(reflector);
  expect([...store.keys()]).toEqual(['db/a']);
});

test('of what has piled up others have their turn after a few milliseconds each, and it is read whole', async () => {
  const names = Array.from({ length: 12 }, (_, at) => `p${at}`);
  const backlog = names.map((name, at) => `${JSON.stringify(added(pod(name, 11 + at)))}\n`).join('');
  server.answers(stream(listEnd(10), backlog));
  const loop = new LoopTurns();
  const turns: number[] = [];
  const { changed, changes } = rig.start({
    trim: (object) => {
      // What is kept of a big one takes as long to find.
      for (const until = performance.now() + 3; performance.now() < until;);
      turns.push(loop.count);
      return trim(object);
    },
  });
  await changed(names.length);
  loop.stop();
  expect(changes).toEqual(names.map((name) => `db/${name}`));
  const inOne = Map.groupBy(turns, (turn) => turn).values();
  expect(Math.max(...inOne.map(({ length }) => length))).toBeLessThanOrEqual(2);
});
