import { describe, expect, test } from '@jest/globals';

import type { ServedTarget } from '../../../../src/agent/connections/owed-sweeps.ts';
import { OwedSweeps } from '../../../../src/agent/connections/owed-sweeps.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';
import { loosening, one, served, sweep } from './sweeping.ts';

function following(...all: readonly ServedTarget[]): OwedSweeps {
  const owed = new OwedSweeps();
  owed.follow(all, 0);
  return owed;
}

describe('networks are swept', () => {
  test('with no more than a tenth of a processor, however many loosen, and whoever owns few of them is not held up by it', () => {
    const own = { ...served(one, 20), network: { cookie: 1000n, pid: 1 } };
    const many = Array.from({ length: 200 }, (_, at) => {
      const { network, target } = served(placeOfPod(`many-${at}`), 10, BigInt(at));
      return { network, target: { ...target, namespace: 'many' } };
    });
    const owed = following({ ...own, target: { ...own.target, namespace: 'few' } }, ...many);
    const places = [one, ...many.map(({ target }) => target.place)];
    const all = loosening(owed, places, { untilMs: 120_000, cpuMs: 20 });
    expect(all.filter((cookie) => cookie === 1000n)).toHaveLength(18);
    // Those that are owed come before anybody is seen to loosen.
    expect((all.length - places.length) * 20).toBeLessThanOrEqual(12_000);
  });

  describe('after a change of a policy of a tenant with 110 pods', () => {
    const cpuMs = 4;
    const of = (namespace: string, count: number, seconds: number, from: number) =>
      Array.from({ length: count }, (_, at) => {
        const { network, target } = served(placeOfPod(`${namespace}-${at}`), seconds, BigInt(from + at));
        return { network, target: { ...target, namespace } };
      });
    const tenant = (seconds: number) => of('tenant', 110, seconds, 1000);
    const neighbour = (seconds: number) => of('neighbour', 2, seconds, 1);
    /** What all but the first sweeps took of a processor, and the cookies that were swept in the step at each second. */
    const through = (
      owed: OwedSweeps,
      asked: (second: number) => readonly ServedTarget[],
      seconds: number,
    ) => {
      const atSecond: bigint[][] = [];
      let sweeps = 0;
      for (let ms = 0; ms < seconds * 1000; ms += 50) {
        if (ms % 1000 === 0) owed.follow(asked(ms / 1000), ms);
        const swept = sweep(owed, ms, cpuMs);
        if (ms % 1000 === 0) atSecond.push(swept);
        if (ms > 0) sweeps += swept.length;
      }
      return { atSecond, share: (sweeps * cpuMs) / (seconds * 1000) };
    };

    test('all of them at once, the first time and where the change before was long ago', () => {
      const { atSecond } = through(new OwedSweeps(), (second) => tenant(second < 10 ? 90 : 60), 11);
      expect([atSecond[0]?.length, atSecond[10]?.length]).toEqual([110, 110]);
    });

    test.each<[string, (second: number) => readonly ServedTarget[]]>([
      ['changes', (second) => tenant(90 + (second % 2))],
      ['comes and goes', (second) => (second % 2 === 0 ? tenant(90) : [])],
      [
        'changes for one half and the other',
        (second) => [
          ...tenant(90 + Math.floor(second / 2)).slice(55),
          ...tenant(90 + Math.floor((second + 1) / 2)).slice(0, 55),
        ],
      ],
    ])(
      'with no more than a tenth of a processor where it %s each second, and neighbours at once',
      (_, asked) => {
        const withNeighbour = (second: number) => [
          ...asked(second),
          ...(second < 20 ? [] : neighbour(second < 40 ? 90 : 60)),
        ];
        const { atSecond, share } = through(new OwedSweeps(), withNeighbour, 60);
        expect(share).toBeLessThanOrEqual(0.1);
        expect(share).toBeGreaterThan(0.06);
        for (const second of [20, 40]) expect(atSecond[second]).toEqual(expect.arrayContaining([1n, 2n]));
      },
    );
  });

  test('with no more than a tenth of a processor where a tenant takes his policy away and makes it again during each sweep', () => {
    const all = Array.from({ length: 110 }, (_, at) => served(placeOfPod(`pod-${at}`), 90, BigInt(at)));
    const owed = following(...all);
    const sweeps: number[] = [];
    for (let ms = 0; ms < 60_000; ms += 500) {
      const cookies = owed.begin(ms).map(({ cookie }) => cookie);
      owed.follow([], ms + 100);
      owed.follow(all, ms + 200);
      const meanwhile = owed.begin(ms + 300).map(({ cookie }) => cookie);
      expect(meanwhile.filter((cookie) => cookies.includes(cookie))).toEqual([]);
      for (const cookie of [...cookies, ...meanwhile]) owed.swept(cookie, 4, ms + 440);
      sweeps.push(cookies.length + meanwhile.length);
    }
    const [first, ...again] = sweeps;
    expect(first).toBe(110);
    expect(again.reduce((sum, count) => sum + count, 0) * 4).toBeLessThanOrEqual(6000);
  });

  test('with no more than 2 % of a processor, however often a policy changes', () => {
    const owed = following(served(one, 3));
    let sweeps = 0;
    for (let ms = 0; ms < 60_000; ms += 500) {
      owed.follow([served(one, 3 + ms / 500)], ms);
      sweeps += sweep(owed, ms, 100).length;
    }
    expect(sweeps).toBe(12);
  });
});
