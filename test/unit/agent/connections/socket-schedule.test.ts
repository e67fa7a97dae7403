import { describe, expect, test } from '@jest/globals';

import { SocketSchedule } from '../../../../src/agent/connections/socket-schedule.ts';
import type { SocketTarget } from '../../../../src/policy/connection.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';
import { behind } from '../../../support/builder.ts';

const countMs = 60_000;
const pod = (uid: string, seconds: number): SocketTarget => ({
  ...{ place: placeOfPod(uid), wanted: behind(seconds), timeouts: [seconds] },
});
/** Each second for a while: how often each place had its turn, and how often all of its sockets. */
function play(schedule: SocketSchedule, { from = 0, seconds = 60, cpuMs = 1 } = {}) {
  const turns: Record<string, { looks: number; counts: number }> = {};
  for (let ms = from; ms < from + seconds * 1000; ms += 500)
    for (const { target, everySocket } of schedule.due(ms)) {
      const turn = (turns[target.place] ??= { looks: 0, counts: 0 });
      turn.looks += 1;
      if (everySocket) turn.counts += 1;
      schedule.looked(target.place, { cpuMs, as: everySocket ? 'counted' : 'looked' }, ms);
    }
  return turns;
}

describe('sockets are looked at', () => {
  test('as often as their own place asks, whatever the others ask', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('eager', 3), pod('usual', 90)], 0);
    // Half of the time before the first probe: a second and 15 s.
    expect(play(schedule)).toEqual({
      'pod/eager': { looks: 60, counts: 1 },
      'pod/usual': { looks: 4, counts: 1 },
    });
  });

  test('all of them at once whenever everything is counted', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('eager', 3), pod('usual', 90)], 0);
    play(schedule);
    const due = schedule.due(countMs);
    expect(due.map(({ everySocket }) => everySocket)).toEqual([true, true]);
  });

  test('together where they are asked for equally often', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('one', 90)], 0);
    play(schedule, { seconds: 7 });
    schedule.follow([pod('one', 90), pod('other', 90)], 7000);
    play(schedule, { from: 7000, seconds: 8 });
    expect(schedule.due(15_000)).toHaveLength(2);
  });

  test('seldom where a look takes long: no place takes more than 2 % of a processor', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('crowded', 3)], 0);
    const turns = play(schedule, { seconds: 600, cpuMs: 1000 });
    expect(turns['pod/crowded']?.looks).toBe(12);
  });

  /** Half an hour beside places of another namespace that take 3 s each: the longest time between two looks at this one. */
  function longestGap(small: SocketTarget, smallMs: number, crowd: readonly SocketTarget[]) {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([small], 0);
    let [ms, cpuMs, last, longest] = [0, 0, 0, 0];
    for (; ms < 1_800_000; ms += 250) {
      if (ms === 60_000) schedule.follow([small, ...crowd], ms);
      const due = schedule.due(ms);
      const untilMs = ms + 2000;
      while (due.length > 0 && ms <= untilMs) {
        const [{ target, everySocket }] = due.splice(0, 1) as [(typeof due)[0]];
        const took = target === small ? smallMs : 3000;
        [ms, cpuMs] = [ms + took, cpuMs + took];
        schedule.looked(target.place, { cpuMs: took, as: everySocket ? 'counted' : 'looked' }, ms);
        if (target === small) [last, longest] = [ms, Math.max(longest, ms - last)];
      }
      schedule.giveBack(due, ms);
    }
    return { longest, share: cpuMs / ms };
  }

  test('as often as before where another namespace has very many: it shares with itself, and all stay within 10 %', () => {
    const mine = { ...pod('mine', 60), namespace: 'mine' };
    const crowd = Array.from({ length: 100 }, (_, at) => ({ ...pod(`crowd-${at}`, 60), namespace: 'crowd' }));
    const alone = longestGap(mine, 60, []);
    const beside = longestGap(mine, 60, crowd);
    expect(alone.longest).toBeLessThan(11_000);
    // One of the others is waited for, where its look has begun.
    expect(beside.longest).toBeLessThan(alone.longest + 2 * 3000 + 500);
    // Each of them is looked at once, whatever that takes.
    expect(beside.share).toBeLessThan(0.1 + (100 * 3000) / 1_800_000);
  });

  test('those first that take little, then those of which nobody knows, one of each namespace at a time', () => {
    const schedule = new SocketSchedule(countMs);
    const known = ['slow', 'quick'].map((uid) => pod(uid, 90));
    schedule.follow(known, 0);
    schedule.due(0);
    for (const [uid, cpuMs] of [
      ['slow', 20],
      ['quick', 10],
    ] as const)
      schedule.looked(placeOfPod(uid), { cpuMs, as: 'counted' }, 0);
    const fresh = ['a', 'a', 'a', 'b'].map((namespace, at) => ({
      ...pod(`${namespace}-${at}`, 90),
      namespace,
    }));
    schedule.follow([...known, ...fresh], countMs);
    expect(schedule.due(countMs).map(({ target }) => target.place)).toEqual(
      ['quick', 'slow', 'a-0', 'b-3', 'a-1', 'a-2'].map(placeOfPod),
    );
  });

  test('not sooner where nobody asked about a place for a moment', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('crowded', 90)], 0);
    schedule.due(0);
    schedule.looked(placeOfPod('crowded'), { cpuMs: 3000, as: 'counted' }, 3000);
    schedule.follow([], 4000);
    schedule.follow([pod('crowded', 90)], 5000);
    expect(schedule.due(5000)).toEqual([]);
    expect(schedule.due(152_000)).toEqual([]);
    expect(schedule.due(153_000)).toHaveLength(1);
  });

  test('sooner again once others are gone who needed their share', () => {
    const schedule = new SocketSchedule(countMs);
    const all = Array.from({ length: 50 }, (_, at) => pod(`${at}`, 90));
    schedule.follow(all, 0);
    schedule.due(0);
    for (const { place } of all) schedule.looked(place, { cpuMs: 1000, as: 'counted' }, 0);
    schedule.due(1000);
    expect(schedule.nextDueMs()).toBe(countMs);
    expect(schedule.due(499_000)).toEqual([]);
    schedule.follow(all.slice(0, 1), 499_000);
    expect(schedule.due(499_000)).toHaveLength(1);
  });

  test('and it is told for how long a new socket may not be met: since the last look, or until the next', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('one', 90)], 0);
    const look = (cpuMs: number, nowMs: number) =>
      schedule.looked(placeOfPod('one'), { cpuMs, as: 'counted' }, nowMs);
    expect(look(100, 1000)).toBe(5000);
    expect(look(100, 21_000)).toBe(20_000);
    expect(look(1000, 22_000)).toBe(50_000);
  });

  test('at once and all of them where a place asks for something else, and no other place with it', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('one', 90), pod('other', 90)], 0);
    play(schedule, { seconds: 20 });
    expect(schedule.follow([pod('one', 60), pod('other', 90)], 20_000)).toEqual({
      ...{ gone: [], fresh: 0, asked: 1 },
    });
    expect(schedule.due(20_000)).toEqual([{ target: pod('one', 60), everySocket: true }]);
  });

  test('again where a look came to nothing', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('one', 90)], 0);
    const due = schedule.due(0);
    expect(schedule.due(1000)).toEqual([]);
    schedule.giveBack(due, 2000);
    expect(schedule.due(2000)).toEqual([{ target: pod('one', 90), everySocket: true }]);
  });

  test('all of them again where one of them hung', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('one', 90)], 0);
    schedule.due(0);
    schedule.looked(placeOfPod('one'), { cpuMs: 0, as: 'hung' }, 5000);
    expect(schedule.nextDueMs()).toBe(5000);
    expect(schedule.due(5000)).toEqual([{ target: pod('one', 90), everySocket: true }]);
  });

  test('nowhere where nobody asks', () => {
    const schedule = new SocketSchedule(countMs);
    schedule.follow([pod('one', 90)], 0);
    expect(schedule.follow([], 0)).toEqual({ gone: ['pod/one'], fresh: 0, asked: 0 });
    expect(schedule.due(0)).toEqual([]);
    expect(schedule.nextDueMs()).toBeUndefined();
  });
});
