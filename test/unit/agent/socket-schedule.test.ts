import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { fairShare, SocketSchedule } from '../../../src/agent/socket-schedule.ts';
import type { SocketTarget } from '../../../src/policy/connection.ts';
import { placeOfPod } from '../../../src/policy/place.ts';
import { behind } from '../../support/builder.ts';

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

  test('seldom where many take long together: no node takes more than 10 %, and whoever takes little waits for nobody', () => {
    const schedule = new SocketSchedule(countMs);
    const crowded = Array.from({ length: 50 }, (_, at) => pod(`crowded-${at}`, 90));
    schedule.follow([...crowded, pod('small', 90)], 0);
    let cpuMs = 0;
    const turns: Record<string, number> = {};
    const seconds = 3600;
    for (let ms = 0; ms < seconds * 1000; ms += 500)
      for (const { target, everySocket } of schedule.due(ms)) {
        const took = target.place === placeOfPod('small') ? 1 : 300;
        cpuMs += took;
        turns[target.place] = (turns[target.place] ?? 0) + 1;
        schedule.looked(target.place, { cpuMs: took, as: everySocket ? 'counted' : 'looked' }, ms);
      }
    // Each by itself stays below 2 %.
    expect(cpuMs / (seconds * 1000)).toBeLessThan(0.105);
    expect(cpuMs / (seconds * 1000)).toBeGreaterThan(0.08);
    expect(turns['pod/small']).toBeGreaterThanOrEqual(seconds / 15);
    expect(
      Math.min(...Object.values(turns)) / Math.max(...crowded.map(({ place }) => turns[place] ?? 0)),
    ).toBeGreaterThan(0.9);
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
    schedule.failed(due, 2000);
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

describe('a fair share', () => {
  const shares = fc.tuple(
    fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 1 }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
  );
  test('is within the total, leaves nothing of it that somebody needs, and takes nothing from who needs less', () => {
    fc.assert(
      fc.property(shares, ([needed, total]) => {
        const each = fairShare(needed, total);
        const had = needed.reduce((sum, need) => sum + Math.min(need, each), 0);
        const wanted = needed.reduce((sum, need) => sum + need, 0);
        expect(had).toBeCloseTo(Math.min(total, wanted), 9);
      }),
    );
  });
});
