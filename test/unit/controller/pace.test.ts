import { describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../../src/api/status.ts';
import { Pace } from '../../../src/controller/pace.ts';
import type { StatusChange } from '../../../src/policy/status-change.ts';
import { changeOf } from '../../../src/policy/status-change.ts';

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
      pace.wrote(String(policy), change, agents);
      written += 1;
    }
    writes.push(written);
  }
  return writes;
}

const total = (writes: readonly number[]) => writes.reduce((sum, one) => sum + one, 0);

test('a verdict is written at once, however many agents hear of it, and however often', () => {
  expect(writesOf({ policies: 100, agents: 5000, change: 'verdict' }, 3)).toEqual([100, 100, 100]);
});

test.each<StatusChange>(['news', 'returns', 'coverage'])(
  '%s of all at once is written at once, and again as often as agents can hear of it',
  (change) => {
    const writes = writesOf({ policies: 100, agents: 5000, change }, 1000);
    expect(writes[0]).toBe(100);
    expect(total(writes)).toBeLessThanOrEqual(1100);
    expect(total(writes)).toBeGreaterThan(1000);
    expect(writesOf({ policies: 100, agents: 5, change }, 3)).toEqual([100, 100, 100]);
  },
);

test('namespaces that are refused for the first time are told of at once, as many as a status lists', () => {
  const writes = writesOf({ policies: 1, agents: 5000, change: 'refusals' }, 1000);
  expect(total(writes.slice(0, 64))).toBe(64);
  expect(total(writes)).toBeLessThanOrEqual(64 + 20);
  expect(writesOf({ policies: 100, agents: 5000, change: 'refusals' }, 3)).toEqual([100, 100, 100]);
});

describe('where somebody makes the same news come and go each second, for ten seconds', () => {
  const finding = { reason: 'StricterPolicy', message: 'why' };
  const findings: Record<string, PolicyStatus> = { is: { findings: [finding], findingsTotal: 1 }, isNot: {} };
  const since = { observedGeneration: 1, lastTransitionTime: '2026-05-04T10:00:00Z' };
  const covered = (status: 'True' | 'False' | 'Unknown'): PolicyStatus => ({
    conditions: [{ type: 'Covered', status, reason: 'x', message: '', ...since }],
  });
  const agents = 5000;
  const cluster = Array.from({ length: 100 }, (_, at) => `c${at}`);

  /** Policies that are looked at each second, and when they were told to be. */
  function bench() {
    let now = 0;
    const pace = new Pace({ now: () => now, schedule: () => () => undefined });
    const written = new Map<string, PolicyStatus>();
    const writes = new Map<string, number>();
    /** When it is to be looked at again; undefined: it is written. */
    const look = (policy: string, status: PolicyStatus): number | undefined => {
      const change = changeOf(written.get(policy) ?? {}, status);
      const waitMs = pace.waitMs(policy, change, agents);
      if (waitMs > 0) return now + waitMs;
      if (change === 'none') return undefined;
      pace.wrote(policy, change, agents);
      written.set(policy, status);
      writes.set(policy, (writes.get(policy) ?? 0) + 1);
      return undefined;
    };
    const moveTo = (at: number) => (now = Math.max(now, at));
    return { look, moveTo, written, writes, now: () => now };
  }

  const churn = ({ look, moveTo }: ReturnType<typeof bench>, states: readonly PolicyStatus[]) => {
    const again = new Map<string, number>();
    for (let second = 0; second < 10; second += 1) {
      moveTo(second * 1000);
      for (const policy of cluster) {
        const at = look(policy, states[second % 2] ?? {});
        if (at === undefined) again.delete(policy);
        else again.set(policy, at);
      }
    }
    return again;
  };

  test.each<[string, number, readonly PolicyStatus[]]>([
    ['a finding', 1, [findings['is'] ?? {}, findings['isNot'] ?? {}]],
    ['coverage that is not True', 1, [covered('False'), covered('Unknown')]],
    // Each True is followed by one that is written at once.
    ['coverage that is', 2, [covered('False'), covered('True')]],
  ])('%s is written a few times, and in the end as it is', (_what, times, states) => {
    const rig = bench();
    const again = churn(rig, states);
    expect(Math.max(...rig.writes.values())).toBeLessThanOrEqual(3 * times);
    expect(total([...rig.writes.values()])).toBeLessThanOrEqual(110 * times);
    const last = states[1] ?? {};
    while (again.size > 0) {
      const [policy = '', at = 0] = [...again].sort((a, b) => a[1] - b[1])[0] ?? [];
      rig.moveTo(at);
      const next = rig.look(policy, last);
      if (next === undefined) again.delete(policy);
      else again.set(policy, next);
    }
    for (const policy of cluster) expect(rig.written.get(policy) ?? {}).toEqual(last);
    expect(rig.now()).toBeLessThan(200_000);
  });

  test('nobody else waits for it longer than for one of them, nor does what they are told otherwise', () => {
    const rig = bench();
    churn(rig, [findings['is'] ?? {}, findings['isNot'] ?? {}]);
    const neighbour = rig.look('db/only', findings['is'] ?? {});
    expect((neighbour ?? 0) - rig.now()).toBeLessThanOrEqual(2000);
    for (const policy of cluster) {
      expect(rig.look(policy, covered('False'))).toBeUndefined();
      expect(rig.look(policy, { ...covered('False'), observedGeneration: 2 })).toBeUndefined();
    }
  });
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

describe('whatever else is written carries the counts as well', () => {
  /** Of 120 policies as often as may be, and so often of one something else. */
  function writesBeside(other: StatusChange, everyMs: number, seconds: number) {
    let now = 0;
    const pace = new Pace({ now: () => now, schedule: () => () => undefined });
    const writes = { counts: 0, others: 0 };
    for (; now < seconds * 1000; now += 500) {
      if (now % everyMs === 0) {
        pace.wrote(`other${now % 700}`, other, 5000);
        writes.others += 1;
      }
      for (let policy = 0; policy < 120; policy += 1) {
        if (pace.waitMs(String(policy), 'connections', 5000) > 0) continue;
        pace.wrote(String(policy), 'connections', 5000);
        writes.counts += 1;
      }
    }
    return writes;
  }

  test.each<StatusChange>(['news', 'returns', 'coverage', 'refusals', 'verdict'])(
    'and with %s in between it is one write a second all the same',
    (change) => {
      const { counts, others } = writesBeside(change, 2500, 1000);
      expect(others).toBe(400);
      expect(counts).toBeGreaterThan(580);
      expect(counts + others).toBeLessThanOrEqual(1010);
    },
  );

  test('but however much of it there is, counts have every other turn, and all of them soon after', () => {
    expect(writesBeside('verdict', 500, 1000).counts).toBeGreaterThanOrEqual(500);
    let now = 0;
    const pace = new Pace({ now: () => now, schedule: () => () => undefined });
    for (let policy = 0; policy < 1100; policy += 1) pace.wrote(`c${policy}`, 'verdict', 5000);
    const heap = Array.from({ length: 100 }, (_, at) => `db/${at}`);
    for (const policy of heap) pace.waitMs(policy, 'pods', 5000);
    let written = 0;
    for (; now < 90_000; now += 1000)
      for (const policy of heap)
        if (pace.waitMs(policy, 'pods', 5000) === 0) {
          pace.wrote(policy, 'pods', 5000);
          written += 1;
        }
    expect(written).toBeGreaterThanOrEqual(59);
    expect(written).toBeLessThan(70);
  });

  test('what was written long ago is not made up for', () => {
    let now = 0;
    const pace = new Pace({ now: () => now, schedule: () => () => undefined });
    for (let policy = 0; policy < 30; policy += 1) pace.wrote(`c${policy}`, 'news', 5000);
    now = 60_000;
    expect(['a', 'b', 'c'].map((policy) => pace.waitMs(policy, 'pods', 5000))).toEqual([0, 1000, 2000]);
  });
});

test('few agents hear at once of pods, and each minute of connections', () => {
  expect(total(writesOf({ policies: 1, agents: 3, change: 'pods' }, 60))).toBe(60);
  expect(total(writesOf({ policies: 1, agents: 3, change: 'connections' }, 600))).toBe(10);
});

test('what changes right after news belongs to it: agents do not all tell at once', () => {
  let now = 0;
  const pace = new Pace({ now: () => now, schedule: () => () => undefined });
  pace.wrote('a', 'news', 3);
  now = 5_000;
  expect(pace.waitMs('a', 'connections', 3)).toBe(0);
  pace.wrote('a', 'connections', 3);
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
      if (pace.waitMs(policy, 'pods', 5000) === 0) pace.wrote(policy, 'pods', 5000);
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
