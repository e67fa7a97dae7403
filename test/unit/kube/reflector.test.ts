import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { json, status, stream, streamThenEnd, streamThenReset } from '../../support/api-server.ts';
import { ReflectorRig, trim } from './reflector-rig.ts';
import { added, bookmark, failed, listEnd, pod, modified } from './world.ts';

let rig: ReflectorRig;
let server: ReflectorRig['server'];

beforeEach(async () => {
  rig = await ReflectorRig.create();
  server = rig.server;
});

afterEach(() => rig.close());

const whole = stream(added(pod('a', 1)), added(pod('b', 2)), listEnd(10));
const page = (items: object[], version: number, token?: string) =>
  json({ kind: 'PodList', metadata: { resourceVersion: String(version), continue: token }, items });

describe('a streamed list', () => {
  test('fills the store when it is whole, then follows the same stream', async () => {
    server.answers(
      stream(added(pod('a', 1)), listEnd(10), modified(pod('a', 11, { note: 'new' })), added(pod('b', 12))),
    );
    const { store, changes, changed } = rig.start({
      labelSelector: 'app=x',
      fieldSelector: 'spec.nodeName=n1',
    });
    await changed(3);
    expect(changes).toEqual(['db/a', 'db/a', 'db/b']);
    expect(store.get('db/a')).toEqual({ uid: 'uid-a', note: 'new' });
    expect(rig.queries).toEqual([
      {
        watch: 'true',
        allowWatchBookmarks: 'true',
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        timeoutSeconds: '600',
        labelSelector: 'app=x',
        fieldSelector: 'spec.nodeName=n1',
      },
    ]);
  });

  test('that breaks half way leaves the store as it was, and is not called synced', async () => {
    server.answers(streamThenReset(added(pod('a', 1))), whole);
    const { store, reflector, passPause } = rig.start();
    await passPause();
    expect([store.size, store.synced]).toEqual([0, false]);
    await reflector.whenSynced;
    expect([store.size, store.synced]).toEqual([2, true]);
  });

  test.each([
    ['a server that refuses the parameters', [status(422, 'Invalid')]],
    ['a server that forbids it', [status(403, 'Forbidden')]],
    ['a server that calls it a bad request', [status(400, 'BadRequest')]],
    ['a server that ignores it and sends a plain bookmark', [stream(added(pod('x', 1)), bookmark(5))]],
    ['a stream that ends before the list is whole', [streamThenEnd(added(pod('x', 1)))]],
  ])('falls back to pages after %s', async (_name, script) => {
    server.answers(...script, page([pod('a', 1)], 10, 'more'), page([pod('b', 2)], 10), stream());
    const { reflector, store } = rig.start({ labelSelector: 'app=x' });
    await reflector.whenSynced;
    await server.received(4);
    expect([...store.keys()]).toEqual(['db/a', 'db/b']);
    expect(rig.queries.slice(1, 3)).toEqual([
      { limit: '50', labelSelector: 'app=x' },
      { limit: '50', labelSelector: 'app=x', continue: 'more' },
    ]);
    expect(rig.queries[3]).toMatchObject({ resourceVersion: '10', watch: 'true' });
    expect(rig.queries[3]).not.toHaveProperty('sendInitialEvents');
  });

  test('that is forbidden by pages too is asked for again only after a pause', async () => {
    const forbidden = status(403, 'Forbidden');
    server.answers(forbidden, forbidden, page([pod('a', 1)], 10), stream());
    const { reflector, store, passPause } = rig.start();
    await server.received(2);
    await passPause();
    await reflector.whenSynced;
    expect([...store.keys()]).toEqual(['db/a']);
    expect(rig.queries.slice(0, 3).map(({ watch }) => watch)).toEqual(['true', undefined, undefined]);
  });

  test.each([
    ['with an ERROR event 500', stream(failed(500, 'InternalError'))],
    ['with a status 504', status(504, 'Timeout', 'Too large resource version: 10, current: 3')],
    ['by what is no watch', stream('{"type": nonsense}\n')],
  ])(
    'that is refused three times %s is read by pages, and at the next refusal at once',
    async (_, refusal) => {
      server.answers(refusal, refusal, refusal, page([pod('a', 1)], 10), status(410, 'Expired'));
      server.answers(refusal, page([pod('b', 2)], 20), stream());
      const { passPause, store } = rig.start({ backOff: { minMs: 100, maxMs: 1_000 } });
      for (let n = 0; n < 5; n += 1) await passPause();
      await server.received(8);
      expect([...store.keys()]).toEqual(['db/b']);
      expect(
        rig.queries.map(({ limit, resourceVersion = 'list' }) => (limit ? 'page' : resourceVersion)),
      ).toEqual(['list', 'list', 'list', 'page', '10', 'list', 'page', '20']);
    },
  );

  test.each([
    ['has too much to do', status(429, 'TooManyRequests')],
    ['is starting', status(503, 'ServiceUnavailable')],
    ['breaks off', streamThenReset(added(pod('x', 1)))],
  ])('is asked for again and again of a server that %s', async (_, answer) => {
    server.answers(answer, answer, answer, answer, whole);
    const { passPause, reflector } = rig.start();
    for (let n = 0; n < 4; n += 1) await passPause();
    await reflector.whenSynced;
    expect(rig.queries.map(({ sendInitialEvents }) => sendInitialEvents)).toEqual(Array(5).fill('true'));
  });

  test('that stays silent for 30 s is read by pages instead', async () => {
    server.answers(stream(added(pod('x', 1))), page([pod('a', 1)], 10), stream());
    const { reflector, clock, store } = rig.start();
    await server.received(1);
    clock.advance(31_000);
    clock.advance(31_000);
    await reflector.whenSynced;
    expect([...store.keys()]).toEqual(['db/a']);
  });
});

describe('a paged list', () => {
  test('is read item by item, so that one large object is held at a time', async () => {
    const begun = stream(
      '{"kind":"PodList","metadata":{"resourceVersion":"10"},"items":[',
      JSON.stringify(pod('a', 1)),
    );
    const first = Promise.withResolvers<string>();
    const rest = Promise.withResolvers<void>();
    server.answers(status(422, 'Invalid'), async (response, asked) => {
      await begun(response, asked);
      await rest.promise;
      response.end(`,${JSON.stringify(pod('b', 2))}]}`);
    });
    const { reflector, store } = rig.start({
      trim: (object) => {
        first.resolve(object.metadata.name);
        return trim(object);
      },
    });
    expect(await first.promise).toBe('a');
    expect([store.size, store.synced]).toEqual([0, false]);
    rest.resolve();
    await reflector.whenSynced;
    expect([...store.keys()]).toEqual(['db/a', 'db/b']);
  });

  test('whose page is no list leaves the store as it was', async () => {
    server.answers(status(422, 'Invalid'), page([pod('a', 1)], 10), streamThenEnd(), status(410, 'Expired'));
    server.answers(json({ metadata: { resourceVersion: '20' }, items: [null] }), page([pod('b', 2)], 20));
    const { passPause, changed, store } = rig.start();
    await passPause();
    await passPause();
    await passPause();
    await changed(3);
    expect([...store.keys()]).toEqual(['db/b']);
  });

  test('whose token expired starts anew and loses nothing', async () => {
    server.answers(
      status(422, 'Invalid'),
      page([pod('gone', 1)], 10, 'old'),
      status(410, 'Expired'),
      page([pod('a', 1)], 20, 'fresh'),
      page([pod('b', 2)], 20),
      stream(),
    );
    const { reflector, store, passPause } = rig.start();
    await passPause();
    await reflector.whenSynced;
    expect([...store.keys()]).toEqual(['db/a', 'db/b']);
    await server.received(6);
    expect(rig.queries[3]).toEqual({ limit: '50' });
    expect(rig.queries[5]).toMatchObject({ resourceVersion: '20' });
  });

  test('survives a server that cannot list for a while', async () => {
    server.answers(status(422, 'Invalid'), status(500, 'InternalError'), json('not a list', 502));
    server.answers(page([pod('a', 1)], 10), stream());
    const { reflector, passPause, store } = rig.start();
    expect([await passPause(), await passPause()]).toEqual([2_000, 4_000]);
    await reflector.whenSynced;
    expect(store.size).toBe(1);
  });
});

describe('a watch goes on', () => {
  test('from the last version after its clean end', async () => {
    server.answers(streamThenEnd(added(pod('a', 1)), listEnd(10), added(pod('b', 15))), stream());
    rig.start();
    await server.received(2);
    expect(rig.queries[1]).toMatchObject({ resourceVersion: '15' });
  });

  test('from a bookmark, which no object of ours had to bring', async () => {
    server.answers(streamThenEnd(listEnd(10), bookmark(900)), stream());
    rig.start();
    await server.received(2);
    expect(rig.queries[1]).toMatchObject({ resourceVersion: '900' });
  });

  test.each([
    ['a reset in the middle of a line', streamThenReset(added(pod('b', 15)), '{"type":"MODI')],
    ['a status 500', status(500, 'InternalError')],
    ['an ERROR event 500', stream(added(pod('b', 15)), failed(500, 'InternalError'))],
    ['a status 503 of a load balancer', json('<html>', 503)],
    ['a token that is not accepted any more', status(401, 'Unauthorized')],
  ])('from the last version after %s, when a pause is over', async (_name, fault) => {
    server.answers(streamThenEnd(listEnd(10), added(pod('b', 15))), fault, stream());
    const { passPause, lines } = rig.start();
    expect(await passPause()).toBe(200);
    await server.received(3);
    expect(rig.queries[2]).toMatchObject({ resourceVersion: '15' });
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  test.each([
    ['a status 410', status(410, 'Expired')],
    ['an ERROR event 410', stream(failed(410, 'Expired'))],
    ['a version from the future', status(504, 'Timeout', 'Too large resource version: 10, current: 3')],
    ['a line that is not JSON', stream('{"type": nonsense}\n')],
    ['an event of an unknown type', stream({ type: 'NEWS', object: {} })],
    ['an object without metadata', stream(added({ kind: 'Pod' }))],
    ['an ERROR event 400', stream(failed(400, 'BadRequest'))],
  ])('with a new list after %s', async (_name, fault) => {
    server.answers(streamThenEnd(added(pod('a', 1)), added(pod('b', 2)), listEnd(10)), fault);
    server.answers(stream(added(pod('b', 2)), added(pod('c', 12)), listEnd(20)));
    const { passPause, changed, changes, store } = rig.start();
    await passPause();
    await changed(4);
    expect(changes.slice(2).sort()).toEqual(['db/a', 'db/c']);
    expect([...store.keys()]).toEqual(['db/b', 'db/c']);
    expect(rig.queries[2]).toMatchObject({ sendInitialEvents: 'true' });
  });

  test.each([
    [0, 7_000],
    [0.5, 10_500],
    [1, 14_000],
  ])(
    'not before the server allows it after 429 with Retry-After, and not with all that were told the same (%d)',
    async (random, pauseMs) => {
      server.answers(
        streamThenEnd(listEnd(10)),
        status(429, 'TooManyRequests', '', { 'retry-after': '7' }),
        stream(),
      );
      const { passPause } = rig.start({ random: () => random });
      expect(await passPause()).toBe(pauseMs);
      await server.received(3);
    },
  );

  test('with a pause after a server that ends each watch at once', async () => {
    server.answers(streamThenEnd(listEnd(10)), streamThenEnd());
    const { passPause } = rig.start();
    expect(await passPause()).toBe(200);
    await server.received(3);
  });

  test('soon after a server that comes back, and with patience where it stays away', async () => {
    server.answers(streamThenEnd(listEnd(10)));
    server.otherwise = status(503, 'ServiceUnavailable');
    const { passPause } = rig.start();
    const pauses: number[] = [];
    while (pauses.length < 24) pauses.push(await passPause());
    expect(pauses.slice(0, 6)).toEqual([200, 400, 800, 1_600, 2_000, 2_000]);
    expect(pauses.slice(19)).toEqual([2_000, 2_000, 4_000, 8_000, 16_000]);
  });

  test('with a list soon after a server that was away for long and has forgotten the position', async () => {
    server.answers(streamThenEnd(listEnd(10)));
    for (let n = 0; n < 24; n++) server.answers(status(503, 'ServiceUnavailable'));
    server.answers(status(410, 'Expired'), stream(added(pod('a', 12)), listEnd(20)));
    const { passPause, changed, store } = rig.start();
    for (let n = 0; n < 24; n++) await passPause();
    expect(await passPause()).toBe(2_000);
    await changed(1);
    expect([...store.keys()]).toEqual(['db/a']);
  });

  test('after its own deadline, when the server forgets to end it', async () => {
    server.answers(stream(listEnd(10)), stream());
    const { clock, reflector, passPause } = rig.start();
    await reflector.whenSynced;
    clock.advance(611_000);
    await passPause();
    await server.received(2);
    expect(rig.queries[1]).toMatchObject({ resourceVersion: '10' });
  });
});
