import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ApiError } from '../../../src/kube/errors.ts';
import { WorkQueue, type Next, type QueueOptions } from '../../../src/kube/queue.ts';
import { HandClock } from './hand-clock.ts';
import { notebook } from './world.ts';

/** Lets the promises that are already settled run. */
/** Long enough for a worker that ended to be followed by the next, which the queue leaves a turn of the loop between. */
const turn = async () => {
  for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A queue whose workers end when the test says so. */
function bench(more: Partial<QueueOptions> = {}) {
  const clock = new HandClock();
  /** When each key's last worker began, in the time that the test sets. */
  const startedAt = Object.assign(new Map<string, number>(), { now: 0 });
  const open = new Map<string, (outcome: Next | Error) => void>();
  const queue = new WorkQueue({
    concurrency: 2,
    work: (key) =>
      new Promise<Next>((resolve, reject) => {
        if (open.has(key)) throw new Error(`two workers on ${key}`);
        startedAt.set(key, startedAt.now);
        open.set(key, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      }),
    log: notebook().log,
    clock,
    random: () => 1,
    ...more,
  });
  queue.start();
  const finish = async (key: string, outcome?: Next | Error) => {
    const end = open.get(key);
    if (!end) throw new Error(`${key} is not being worked on`);
    open.delete(key);
    end(outcome);
    await turn();
  };
  return { queue, clock, finish, startedAt, running: () => [...open.keys()] };
}

describe('a key', () => {
  test('added many times waits once', async () => {
    const { queue, finish, running } = bench({ concurrency: 1 });
    for (const key of ['a', 'b', 'b', 'b']) queue.add(key);
    expect([running(), queue.depth]).toEqual([['a'], 1]);
    await finish('a');
    await finish('b');
    expect([running(), queue.depth]).toEqual([[], 0]);
  });

  test('added while it is worked on has one worker, and is worked on again after', async () => {
    const { queue, finish, running } = bench();
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect([running(), queue.depth]).toEqual([['a'], 1]);
    await finish('a');
    expect([running(), queue.depth]).toEqual([['a'], 0]);
    await finish('a');
    expect(running()).toEqual([]);
  });

  test('waits for the earliest of its times', () => {
    const { queue, clock, running } = bench();
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    clock.advance(99);
    expect(running()).toEqual([]);
    clock.advance(1);
    expect(running()).toEqual(['a']);
    expect(clock.pending).toEqual([]);
  });

  test('added now is not worked on again at the time set before', async () => {
    const { queue, clock, finish, running } = bench();
    queue.addAfter('a', 100);
    queue.add('a');
    await finish('a');
    clock.advance(1_000);
    expect(running()).toEqual([]);
  });

  test('comes again when its worker asks for it', async () => {
    const { queue, clock, finish, running } = bench();
    queue.add('a');
    await finish('a', { afterMs: 300 });
    clock.advance(299);
    expect(running()).toEqual([]);
    clock.advance(1);
    expect(running()).toEqual(['a']);
  });

  test('that fails waits twice as long each time, five minutes at most, and success forgets it', async () => {
    const { queue, clock, finish } = bench();
    const pauses: (number | undefined)[] = [];
    queue.add('a');
    for (let round = 0; round < 15; round++) {
      await finish('a', new Error('no'));
      pauses.push(clock.pending[0]);
      clock.advance(clock.pending[0] ?? 0);
    }
    expect(pauses.slice(0, 4)).toEqual([50, 100, 200, 400]);
    expect(pauses.at(-1)).toBe(300_000);
    await finish('a');
    queue.add('a');
    await finish('a', new Error('no'));
    expect(clock.pending).toEqual([50]);
  });

  test('that the API server turned away waits as long as it was told', async () => {
    const { queue, clock, finish } = bench();
    queue.add('a');
    const facts = { status: 429, reason: 'TooManyRequests', path: 'GET /', retryAfterSeconds: 3 };
    await finish('a', new ApiError(facts));
    expect(clock.pending).toEqual([3_000]);
  });
});

describe('a key whose work failed, while something concerns it ten times a second,', () => {
  const turnedAway = new ApiError({
    ...{ status: 429, reason: 'TooManyRequests', path: 'PATCH /', retryAfterSeconds: 60 },
  });

  /** How often it was tried within so long, where each try takes so long. */
  async function tries(failure: Error, again: 'add' | 'addAfter', { forMs = 59_000, takesMs = 0 } = {}) {
    const { queue, clock, finish, running } = bench();
    queue.add('a');
    let tried = 0;
    let begunMs: number | undefined;
    for (let ms = 0; ms < forMs; ms += 100) {
      if (again === 'add') queue.add('a');
      else queue.addAfter('a', 1000);
      if (running().includes('a')) begunMs ??= ms;
      if (begunMs !== undefined && ms - begunMs >= takesMs) {
        tried += 1;
        begunMs = undefined;
        await finish('a', failure);
      }
      clock.advance(100);
    }
    return tried;
  }

  test.each(['add', 'addAfter'] as const)(
    'is not tried before the server wants to hear of it again: %s',
    async (how) => {
      expect(await tries(turnedAway, how)).toBe(1);
      expect(await tries(turnedAway, how, { takesMs: 2000 })).toBe(1);
    },
  );

  test('waits for its back-off, which grows', async () => {
    // 50 ms and twice as long each time: ten tries in 51 s.
    for (const takesMs of [0, 2000]) {
      const tried = await tries(new Error('no'), 'addAfter', { takesMs });
      expect(tried).toBeGreaterThan(5);
      expect(tried).toBeLessThanOrEqual(11);
    }
  });

  test('is tried at once where it is another itself', async () => {
    expect(await tries(new Error('no'), 'add', { forMs: 10_000 })).toBe(100);
  });

  test('is what it was before, once it succeeds', async () => {
    const { queue, clock, finish, running } = bench();
    queue.add('a');
    await finish('a', turnedAway);
    clock.advance(60_000);
    await finish('a');
    queue.add('a');
    expect(running()).toEqual(['a']);
    await finish('a');
    queue.addAfter('a', 100);
    expect(clock.pending).toEqual([100]);
  });
});

test('no more keys are worked on at once than allowed', async () => {
  const { queue, finish, running } = bench();
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  expect(running()).toEqual(['a', 'b']);
  await finish('b');
  expect(running()).toEqual(['a', 'c']);
});

test('owners take turns, however many keys one of them has waiting', async () => {
  const ownerOf = (key: string) => key.slice(0, 1);
  const { queue, finish, running } = bench({ concurrency: 1, ownerOf });
  const heap = Array.from({ length: 100 }, (_, at) => `a${at}`);
  for (const key of [...heap, 'b1', 'b2', 'c1']) queue.add(key);
  const order: string[] = [];
  for (let at = 0; at < 8; at += 1) {
    const [key = ''] = running();
    order.push(key);
    await finish(key);
  }
  expect(order).toEqual(['a0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  expect(queue.depth).toBe(heap.length - 6);
});

test('keys added before the start wait for it', () => {
  const seen: string[] = [];
  const work = (key: string) => Promise.resolve(void seen.push(key));
  const queue = new WorkQueue({ work, concurrency: 1, log: notebook().log });
  queue.add('a');
  expect(seen).toEqual([]);
  queue.start();
  expect(seen).toEqual(['a']);
});

test('to stop finishes what runs and starts nothing new', async () => {
  const { queue, clock, finish, running } = bench({ concurrency: 1 });
  for (const key of ['a', 'b', 'a']) queue.add(key);
  queue.addAfter('c', 10);
  let stopped = false;
  const stop = queue.stop().then(() => (stopped = true));
  await turn();
  expect([stopped, running(), clock.pending]).toEqual([false, ['a'], []]);
  await finish('a', new Error('too late to be tried again'));
  await stop;
  queue.add('d');
  expect([running(), clock.pending, queue.depth]).toEqual([[], [], 0]);
});

interface Step {
  readonly do: 'add' | 'later' | 'wait' | 'finish';
  readonly key: string;
  readonly ms: number;
  readonly fails: boolean;
}

const step = fc.record<Step>({
  do: fc.constantFrom('add', 'later', 'wait', 'finish'),
  key: fc.constantFrom('a', 'b', 'c'),
  ms: fc.integer({ min: 0, max: 500 }),
  fails: fc.boolean(),
});

test('a key added is worked on with success from then on, by one worker at a time, in any order of things', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { queue, clock, finish, running, startedAt } = bench();
      let tick = 0;
      const addedAt = new Map<string, number>();
      const succeededFrom = new Map<string, number>();
      const end = async (key: string, fails: boolean) => {
        const started = startedAt.get(key) ?? -1;
        await finish(key, fails ? new Error('no') : undefined);
        if (!fails) succeededFrom.set(key, started);
      };
      const take = {
        add: (one: Step) => queue.add(one.key),
        later: (one: Step) => queue.addAfter(one.key, one.ms),
        wait: (one: Step) => clock.advance(one.ms),
        finish: (one: Step) => (running().includes(one.key) ? end(one.key, one.fails) : undefined),
      };
      for (const one of steps) {
        startedAt.now = ++tick;
        if (one.do === 'add' || one.do === 'later') addedAt.set(one.key, tick);
        await take[one.do](one);
        expect(running().length).toBeLessThanOrEqual(2);
      }
      while (running().length > 0 || clock.pending.length > 0) {
        startedAt.now = ++tick;
        for (const key of running()) await end(key, false);
        clock.advance(clock.pending[0] ?? 0);
      }
      for (const [key, at] of addedAt) expect(succeededFrom.get(key)).toBeGreaterThanOrEqual(at);
      expect([...succeededFrom.keys()].sort()).toEqual([...addedAt.keys()].sort());
      expect(queue.depth).toBe(0);
    }),
  );
});

test('many keys with nothing to do leave the event loop its turns', async () => {
  let worked = 0;
  const queue = new WorkQueue({
    work: () => Promise.resolve(void (worked += 1)),
    concurrency: 1,
    log: notebook().log,
  });
  for (let key = 0; key < 100; key += 1) queue.add(String(key));
  queue.start();
  await new Promise((resolve) => setImmediate(resolve));
  expect(worked).toBeLessThan(100);
  await queue.stop();
});
