import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Crowd } from '../../../src/policy/crowd.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { selectsPod } from '../../../src/policy/policy.ts';
import { MatchMemory } from '../../../src/policy/match-memory.ts';
import { platform, team } from '../../support/builder.ts';

const MiB = 1024 ** 2;
const ofApp = (app: string) => ({ podSelector: { matchLabels: { app } } });
/** Of the cluster, of a namespace, for all pods, for some and for none. */
const policies: readonly Policy[] = [
  platform(90, { podSelector: {} }, 'all'),
  platform(90, ofApp('app0'), 'some'),
  platform(90, { podSelector: undefined, nodes: { selector: {} } }, 'nodes'),
  team(90, {
    podSelector: { matchExpressions: [{ key: 'name', operator: 'NotIn', values: ['n1', 'n300'] }] },
  }),
  team(90, ofApp('app1'), 'own'),
  team(90, ofApp('nobody'), 'nobody'),
];
/** Each pod has labels of its own. */
const bearing = (at: number) => ({ app: `app${at % 2}`, name: `n${at}` });

/** As often as it takes, and how often that was. */
function asked(crowd: Crowd, one: Policy, other: Policy): { readonly pods: number; readonly asks: number } {
  for (let asks = 1; asks < 1000; asks += 1) {
    const pods = crowd.sharedBy(one, other);
    if (pods !== undefined) return { pods, asks };
  }
  throw new Error('it is never known');
}

describe('of each pair of policies it is known what both select', () => {
  const labels = Array.from({ length: 700 }, (_, at) => bearing(at));
  const plain = (one: Policy, other: Policy, there: ReadonlyMap<number, number>) =>
    [...there].reduce((sum, [at, pods]) => {
      const pod = { labels: labels[at] ?? {} };
      return selectsPod(one, pod) && selectsPod(other, pod) ? sum + pods : sum;
    }, 0);
  interface Change {
    readonly from: number;
    readonly count: number;
    readonly by: 1 | -1;
  }
  const move = (crowd: Crowd, there: Map<number, number>, { from, count, by }: Change) => {
    for (let at = from; at < Math.min(from + count, labels.length); at += 1) {
      const pods = (there.get(at) ?? 0) + by;
      if (pods < 0) continue;
      there.set(at, pods);
      crowd.change({ labels: labels[at] ?? {} }, by);
    }
  };
  const step = fc.record({
    change: fc.record({
      ...{ from: fc.nat(699), count: fc.nat(600), by: fc.constantFrom(1 as const, -1 as const) },
    }),
    pair: fc.option(fc.tuple(fc.constantFrom(...policies), fc.constantFrom(...policies)), { nil: undefined }),
    isCopied: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
  });

  test.each([
    ['where there is room to remember', 24 * MiB],
    ['where there is hardly any', 4_000],
  ])('whatever comes and goes, %s', (_where, bytes) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15, size: 'max' }), (steps) => {
        const memory = new MatchMemory(bytes);
        const crowd = new Crowd(memory);
        const there = new Map<number, number>();
        const copies: { readonly crowd: Crowd; readonly there: ReadonlyMap<number, number> }[] = [];
        for (const { change, pair, isCopied } of steps) {
          move(crowd, there, change);
          // Some are looked at in part, and go on where they are by then.
          if (pair !== undefined) crowd.sharedBy(...pair);
          if (isCopied) copies.push({ crowd: new Crowd(memory, crowd), there: new Map(there) });
        }
        for (const is of [{ crowd, there }, ...copies])
          for (const [at, one] of policies.entries())
            for (const other of policies.slice(at))
              expect(asked(is.crowd, one, other).pods).toBe(plain(one, other, is.there));
      }),
      { numRuns: 10 },
    );
  });
});

describe('where each pod has labels of its own', () => {
  /** Labels of which it is known how often a selector was asked about them. */
  function counted(length: number) {
    let reads = 0;
    const label = (at: number): Record<string, string> =>
      Object.defineProperty({ name: `n${at}` }, 'app', {
        enumerable: true,
        get: () => {
          reads += 1;
          return 'mine';
        },
      });
    return { labels: Array.from({ length }, (_, at) => label(at)), label, reads: () => reads };
  }
  const teams = Array.from({ length: 50 }, (_, at) => team(90, ofApp('mine'), `p${at}`));
  const cluster = Array.from({ length: 10 }, (_, at) => platform(90, ofApp('mine'), `c${at}`));

  test('each selector is asked once about each, for all pairs', () => {
    const { labels, reads } = counted(1000);
    const crowd = new Crowd(new MatchMemory(24 * MiB));
    for (const one of labels) crowd.change({ labels: one }, 1);
    const all = [...teams, ...cluster];
    for (const one of all) for (const other of all) expect(asked(crowd, one, other).pods).toBe(1000);
    expect(reads()).toBe(60 * 1000);
  });

  test('others have their turn before many were looked at', () => {
    const { labels, reads } = counted(5000);
    const crowd = new Crowd(new MatchMemory(24 * MiB));
    for (const one of labels) crowd.change({ labels: one }, 1);
    const [one, other] = [teams[0], cluster[0]] as [Policy, Policy];
    let before = 0;
    for (let asks = 1; asks < 40; asks += 1) {
      const pods = crowd.sharedBy(one, other);
      expect(reads() - before).toBeLessThanOrEqual(512);
      before = reads();
      if (pods !== undefined) break;
    }
    expect(reads()).toBe(2 * 5000);
  });

  test('those that come and go cost as little as they are, and what is kept of those that went as well', () => {
    const { labels, label, reads } = counted(300);
    const crowd = new Crowd(new MatchMemory(24 * MiB));
    for (const one of labels) crowd.change({ labels: one }, 1);
    const some = teams.slice(0, 5);
    const known = () => some.map((one) => asked(crowd, one, one).pods);
    known();
    const there = [...labels];
    for (let at = 0; at < 1500; at += 1) {
      const [gone, come] = [there.shift() ?? {}, label(300 + at)];
      crowd.change({ labels: gone }, -1);
      crowd.change({ labels: come }, 1);
      there.push(come);
      expect(known()).toEqual([300, 300, 300, 300, 300]);
    }
    expect(reads()).toBeLessThanOrEqual(some.length * (300 + 2 * 1500));
    for (const one of there) crowd.change({ labels: one }, -1);
    expect(known()).toEqual([0, 0, 0, 0, 0]);
  });

  test('in most namespaces there are few, of which nothing is remembered for a policy of the cluster', () => {
    const memory = new MatchMemory(24 * MiB);
    const crowd = new Crowd(memory);
    const { labels } = counted(255);
    for (const one of labels) crowd.change({ labels: one }, 1);
    let remembered = 0;
    memory.of = () => {
      throw new Error(`${(remembered += 1)}`);
    };
    expect(asked(crowd, cluster[0] as Policy, cluster[1] as Policy)).toEqual({ pods: 255, asks: 1 });
    expect(() => crowd.sharedBy(cluster[0] as Policy, teams[0] as Policy)).toThrow('1');
  });
});

describe('what selectors select', () => {
  test('is forgotten when so much of others was asked about since, and not before', () => {
    const memory = new MatchMemory(10_000);
    const [row, mine] = [{}, {}];
    const first = memory.of(row, mine);
    const others = Array.from({ length: 100 }, () => ({}));
    for (const other of others.slice(0, 20)) memory.of(row, other);
    expect(memory.of(row, mine)).toBe(first);
    for (const other of others) memory.of(row, other);
    expect(memory.of(row, mine)).not.toBe(first);
    expect(memory.of({}, mine)).not.toBe(memory.of(row, mine));
  });

  test('is not forgotten while it is asked about', () => {
    const memory = new MatchMemory(10_000);
    const [row, mine] = [{}, {}];
    const first = memory.of(row, mine);
    for (let at = 0; at < 1000; at += 1) {
      memory.of(row, {});
      if (at % 10 === 0) expect(memory.of(row, mine)).toBe(first);
    }
  });
});
