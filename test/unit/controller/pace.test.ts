import { expect, test } from '@jest/globals';

import { Pace } from '../../../src/controller/pace.ts';
import type { StatusChange } from '../../../src/policy/status-change.ts';

/** Every policy is looked at each second, or when it was told to be, and has something else to say each time. */
function writesOf(
  { policies, agents, change }: { policies: number; agents: number; change: StatusChange },
  seconds: number,
): number[] {
  let now = 0;
  const pace = new Pace({ now: () => now, schedule: () => () => undefined });
  const writes: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    now = second * 1000;
    let written = 0;
    for (let policy = 0; policy < policies; policy += 1) {
      if (pace.waitMs(String(policy), change, agents) > 0) continue;
      pace.wrote(String(policy), change);
      written += 1;
    }
    writes.push(written);
  }
  return writes;
}

const total = (writes: readonly number[]) => writes.reduce((sum, one) => sum + one, 0);

test('news is written at once, however many agents hear of it', () => {
  expect(writesOf({ policies: 100, agents: 5000, change: 'news' }, 3)).toEqual([100, 100, 100]);
});

test.each<StatusChange>(['pods', 'connections'])(
  'where only %s are counted otherwise, 5,000 agents hear of one write a second, and every policy has its turn',
  (change) => {
    const writes = writesOf({ policies: 1100, agents: 5000, change }, 4000);
    expect(total(writes)).toBeLessThanOrEqual(4001);
    expect(total(writes)).toBeGreaterThan(3600);
    expect(total(writes.slice(0, 1200))).toBeGreaterThanOrEqual(1100);
  },
);

test('few agents hear at once of pods, and each minute of connections', () => {
  expect(total(writesOf({ policies: 1, agents: 3, change: 'pods' }, 60))).toBe(60);
  expect(total(writesOf({ policies: 1, agents: 3, change: 'connections' }, 600))).toBe(10);
});

test('what changes right after news belongs to it: agents do not all tell at once', () => {
  let now = 0;
  const pace = new Pace({ now: () => now, schedule: () => () => undefined });
  pace.wrote('a', 'news');
  now = 5_000;
  expect(pace.waitMs('a', 'connections', 3)).toBe(0);
  pace.wrote('a', 'connections');
  now = 31_000;
  expect(pace.waitMs('a', 'connections', 3)).toBe(34_000);
});

test('owners take turns: one policy of somebody else waits for one of each heap, and not for the heaps', () => {
  let now = 0;
  const pace = new Pace({ now: () => now, schedule: () => () => undefined });
  const heaps = Array.from({ length: 20 }, (_, of) =>
    Array.from({ length: 50 }, (_one, at) => `heap${of}/${at}`),
  );
  for (const policy of heaps.flat()) pace.waitMs(policy, 'pods', 5000);
  // Whose turn it was by then is written, as far as it came.
  for (; now < 3_000; now += 1000)
    for (const policy of heaps.flat())
      if (pace.waitMs(policy, 'pods', 5000) === 0) pace.wrote(policy, 'pods');
  let waitedMs = 0;
  for (let ms = pace.waitMs('db/only', 'pods', 5000); ms > 0; ms = pace.waitMs('db/only', 'pods', 5000)) {
    now += ms;
    waitedMs += ms;
  }
  expect(waitedMs).toBeLessThanOrEqual((heaps.length + 1) * 1000);
});

test('who has nothing to tell any more gives its turn to those behind it', () => {
  let now = 0;
  const pace = new Pace({ now: () => now, schedule: () => () => undefined });
  const waits = (policy: string, change: StatusChange = 'pods') => pace.waitMs(policy, change, 5000);
  expect(['a', 'b', 'c'].map((policy) => waits(policy))).toEqual([0, 1000, 2000]);
  waits('b', 'none');
  now = 1000;
  expect(waits('c')).toBe(0);
});
