import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { OwedSweeps } from '../../../../src/agent/connections/owed-sweeps.ts';
import type { Place } from '../../../../src/policy/place.ts';
import { HOST, placeOfPod } from '../../../../src/policy/place.ts';
import { behind } from '../../../support/builder.ts';
import { loosening, one, other, served, sweep } from './sweeping.ts';

function following(...all: readonly ReturnType<typeof served>[]): OwedSweeps {
  const owed = new OwedSweeps();
  owed.follow(all, 0);
  return owed;
}

describe('a network is swept', () => {
  test('once for what was open before, and then not at all', () => {
    const owed = following(served(one, 90));
    expect(owed.isSwept(one)).toBe(false);
    expect(sweep(owed, 0)).toEqual([1n]);
    expect(owed.isSwept(one)).toBe(true);
    expect(owed.nextDueMs()).toBeUndefined();
  });

  test('once for all of its places, as that of the host is for the pods that use it', () => {
    const owed = following(served(HOST, 240), served(one, 90), served(other, undefined));
    expect(sweep(owed, 0)).toEqual([1n]);
    expect([HOST as Place, one, other].map((place) => owed.isSwept(place))).toEqual([true, true, true]);
  });

  test.each<[string, ReturnType<typeof served>[], bigint[]]>([
    ['where something else is asked', [served(one, 60)], [1n]],
    ['where another place comes to be served in it', [served(one, 90), served(other, 90)], [1n]],
    ['where a place has another network', [served(one, 90, 2n)], [2n]],
    ['not where nothing changed', [served(one, 90)], []],
    ['not where connections are only counted from now on', [served(one, undefined)], []],
    ['not where nobody asks any more', [], []],
  ])('again %s', (_, next, cookies) => {
    const owed = following(served(one, 90));
    sweep(owed, 0);
    owed.follow(next, 1000);
    expect(sweep(owed, 1000)).toEqual(cookies);
  });

  test.each<[string, ReturnType<typeof served>[]]>([
    ['connections were only counted', [served(one, undefined)]],
    ['others were asked', [served(one, 240)]],
    ['nobody asked', []],
  ])('again where the same values are asked after %s: some may have been loosened then', (_, between) => {
    const owed = following(served(one, 90));
    sweep(owed, 0);
    owed.follow(between, 1000);
    owed.follow([served(one, 90)], 3_600_000);
    expect(sweep(owed, 3_600_000)).toEqual([1n]);
  });

  test('again where somebody loosened a connection', () => {
    const owed = following(served(one, 90));
    sweep(owed, 0);
    owed.loosened(one, 1000);
    expect(sweep(owed, 1000)).toEqual([1n]);
    expect(sweep(owed, 2000)).toEqual([]);
  });

  test('again after what was ordered while it was swept, which may have come too late', () => {
    const owed = following(served(one, 90));
    owed.begin(0);
    owed.follow([served(one, 60), served(other, 60)], 1);
    expect(owed.begin(2)).toEqual([]);
    owed.swept(1n, 0, 3);
    expect(owed.isSwept(other)).toBe(false);
    expect(sweep(owed, 4)).toEqual([1n]);
    expect(owed.isSwept(other)).toBe(true);
  });

  test('again where nothing came of it', () => {
    const owed = following(served(one, 90));
    owed.begin(0);
    owed.giveBack();
    expect(sweep(owed, 1)).toEqual([1n]);
  });

  test.each<[string, number, (typeof one)[]]>([
    // Found and swept, each within half of the time that is left when its probes take a third of it.
    ['7 s where somebody behind 20 s does', 18, [other]],
    ['half minute where somebody behind 90 s does, whoever else is behind less', 4, [one]],
    ['7 s where both do', 18, [one, other]],
  ])('each %s, however often', (_, expected, loose) => {
    const owed = following(served(one, 90), served(other, 20));
    expect(loosening(owed, loose, { untilMs: 120_000, cpuMs: 5 })).toHaveLength(expected);
  });
});

describe('how long what was loosened waits for a sweep', () => {
  test("is nobody's question where nothing was, nor ten minutes after something was", () => {
    const owed = following(served(one, 90), served(other, 20));
    sweep(owed, 0);
    expect(owed.repairMsOf(one, 0)).toBeUndefined();
    owed.loosened(other, 1000);
    expect(owed.repairMsOf(one, 1000)).toBeUndefined();
    expect(owed.repairMsOf(other, 601_000)).toBe(7000);
    expect(owed.repairMsOf(other, 601_001)).toBeUndefined();
  });

  test('is what the processor allows where that is longer', () => {
    const owed = following(served(one, 20));
    sweep(owed, 0, 400);
    owed.loosened(one, 1000);
    expect(owed.repairMsOf(one, 1000)).toBe(20_000);
  });
});

test('a sweep is its namespace’s, and that of a network which several use the node’s', () => {
  const of = (place: Place, namespace: string | undefined, cookie: bigint) => ({
    ...{ target: { place, wanted: behind(90), timeouts: [90], ...(namespace && { namespace }) } },
    network: { cookie, pid: 1 },
  });
  const risked: string[] = [];
  const owed = new OwedSweeps((owner) => {
    risked.push(owner);
    return owner !== 'bad';
  });
  owed.follow([of(one, 'bad', 1n), of(other, 'bad', 2n), of(placeOfPod('third'), 'good', 2n)], 0);
  expect(owed.begin(0).map(({ cookie, owner }) => [cookie, owner])).toEqual([[2n, '']]);
  expect(new Set(risked)).toEqual(new Set(['bad', '']));
  expect([one, other].map((place) => owed.mayRisk(place))).toEqual([false, true]);
  owed.swept(2n, 0, 0);
  expect(owed.nextDueMs()).toBeUndefined();
});

describe('a network is left to descriptors', () => {
  test('as long as a sweep hangs in it, and is swept when that has come back', () => {
    const owed = following(served(one, 90), served(other, 90, 2n));
    owed.begin(0);
    owed.bars.hung(1n);
    owed.giveBack();
    expect([owed.bars.isBarred(1n, 1), owed.bars.isBarred(2n, 1)]).toEqual([true, false]);
    expect(sweep(owed, 1)).toEqual([2n]);
    owed.bars.released(1n, 1000);
    expect(owed.bars.isBarred(1n, 1000)).toBe(false);
    expect(sweep(owed, 1000)).toEqual([1n]);
  });

  test('for an hour after the second time, even if nobody asks in between', () => {
    const owed = following(served(one, 90));
    for (const ms of [0, 1000]) {
      owed.bars.hung(1n);
      owed.bars.released(1n, ms);
      owed.follow([], ms);
      owed.follow([served(one, 90)], ms);
    }
    expect(sweep(owed, 2000)).toEqual([]);
    expect(owed.bars.isBarred(1n, 3_600_999)).toBe(true);
    expect(owed.bars.nextLiftMs(2000)).toBe(3_601_000);
    expect(owed.nextDueMs()).toBe(3_601_000);
    expect(sweep(owed, 3_601_000)).toEqual([1n]);
  });

  test('for ten minutes after the third failure in a row, with more and more time between', () => {
    const owed = following(served(one, 90));
    const triedAt: number[] = [];
    for (let ms = 0; ms < 610_000; ms += 500)
      for (const { cookie } of owed.begin(ms)) {
        triedAt.push(ms);
        owed.failed(cookie, ms);
      }
    expect(triedAt).toEqual([0, 2000, 6000, 606_000, 608_000]);
    expect(owed.bars.isBarred(1n, 20_000)).toBe(true);
  });
});

describe('after any events', () => {
  /** What the kernel held when a sweep began, by place: the cookie of its network, and what was ordered. */
  type Orders = ReadonlyMap<string, string>;
  const networkIn = (order: string) => BigInt(order.split(' ')[0] ?? '');

  class Model {
    readonly owed = new OwedSweeps();
    readonly swept = new Map<string, string>();
    orders: Orders = new Map();
    #begun: Orders = new Map();
    #underWay: readonly bigint[] = [];
    nowMs = 0;

    readonly events = {
      begin: () => {
        this.#underWay = this.owed.begin(this.nowMs).map(({ cookie }) => cookie);
        this.#begun = this.orders;
      },
      swept: () => this.#end((cookie) => this.#sweptOne(cookie)),
      failed: () => this.#end((cookie) => this.owed.failed(cookie, this.nowMs)),
      hung: () => this.#end((cookie) => this.owed.bars.hung(cookie)),
      released: () => this.#end((cookie) => this.owed.bars.released(cookie, this.nowMs)),
      giveBack: () => this.#end(() => this.owed.giveBack()),
    };

    follow(asked: readonly ReturnType<typeof served>[]): void {
      this.owed.follow(asked, this.nowMs);
      this.orders = new Map(
        asked.map(({ target, network }) => [target.place, `${network.cookie} ${target.timeouts.join()}`]),
      );
    }

    #end(how: (cookie: bigint) => void): void {
      this.#underWay.forEach(how);
      this.#underWay = [];
    }

    #sweptOne(cookie: bigint): void {
      for (const [place, order] of this.#begun) if (networkIn(order) === cookie) this.swept.set(place, order);
      this.owed.swept(cookie, 0, this.nowMs);
    }
  }

  test('what is asked last was swept after it was asked, or is owed', () => {
    const place = fc.constantFrom(HOST, one, other);
    const target = fc.tuple(place, fc.constantFrom(30, 90, 240), fc.constantFrom(1n, 2n));
    const follow = fc.uniqueArray(target, { selector: ([at]) => at, maxLength: 3 });
    const come = fc.constantFrom(...(Object.keys(new Model().events) as (keyof Model['events'])[]));
    fc.assert(
      fc.property(fc.array(fc.oneof(follow, come), { maxLength: 20 }), (events) => {
        const model = new Model();
        for (const event of events) {
          model.nowMs += 1_000_000;
          if (typeof event === 'string') model.events[event]();
          else model.follow(event.map((args) => served(...args)));
        }
        model.owed.giveBack();
        for (const cookie of [1n, 2n]) model.owed.bars.released(cookie, model.nowMs);
        const due = model.owed.begin(model.nowMs + 10_000_000).map(({ cookie }) => cookie);
        for (const [at, order] of model.orders)
          expect(model.swept.get(at) === order || due.includes(networkIn(order))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
