import { beforeEach, expect, test } from '@jest/globals';

import type { Ground } from '../../../src/policy/rival-count.ts';
import { RivalCount } from '../../../src/policy/rival-count.ts';
import { platform } from '../../support/builder.ts';

const other = platform(30, {}, 'other');
/** What both select, by namespace. */
let pods: Map<string, number>;
let count: RivalCount;

const ground: Ground = {
  policyOf: () => other,
  namespacesOf: () => ['db', 'web'],
  sharedIn: (name) => () => pods.get(name) ?? 0,
};
const settle = (steps = Infinity) => {
  const counting = count.settle(ground);
  for (let step = 0; step < steps && !counting.next().done; step += 1);
};
const change = (name: string, by: 1 | -1) => {
  pods.set(name, (pods.get(name) ?? 0) + by);
  count.change('other', name, by);
};
const bound = () => count.list().map((rival) => rival.pods);

beforeEach(() => {
  pods = new Map([
    ['db', 2],
    ['web', 3],
  ]);
  count = new RivalCount(platform(90));
  count.doubt('other');
});

test('a pod that comes where others are counted already is added, and where they are not it is counted with them', () => {
  settle(1);
  change('db', 1);
  change('web', 1);
  settle();
  expect([count.isSettled, bound()]).toEqual([true, [7]]);
});

test('what takes longer is asked about again when others had their turn, and counted once', () => {
  const asks = new Map<string, number>();
  const longer: Ground = {
    ...ground,
    sharedIn: (name) => () => {
      asks.set(name, (asks.get(name) ?? 0) + 1);
      return asks.get(name) === 3 ? pods.get(name) : undefined;
    },
  };
  for (let turn = 0; turn < 7; turn += 1) {
    expect(count.isSettled).toBe(false);
    // Who counts lets others have their turn, and comes again.
    count.settle(longer).next();
    if (turn === 1) change('web', 1);
  }
  expect([count.isSettled, bound()]).toEqual([true, [6]]);
});

test('a policy that is in doubt while it is counted is counted from the start', () => {
  settle(1);
  count.doubt('other');
  pods.set('db', 10);
  settle();
  expect(bound()).toEqual([13]);
});

test('a namespace that turns counts for what it was until its turn, whatever comes there meanwhile', () => {
  settle();
  count.turned('db', ['other'], () => 2);
  change('db', 1);
  change('web', 1);
  expect([count.isSettled, bound()]).toEqual([false, [6]]);
  settle();
  expect([count.isSettled, bound()]).toEqual([true, [7]]);
});

test('a namespace that turns again before its turn, or beside a policy in doubt, is taken once', () => {
  settle();
  count.turned('db', ['other'], () => 2);
  pods.set('db', 9);
  count.turned('db', ['other'], () => 9);
  settle();
  expect(bound()).toEqual([12]);
  count.turned('db', ['other'], () => 9);
  count.doubt('other');
  count.turned('db', ['other'], () => 9);
  settle();
  expect([count.isSettled, bound()]).toEqual([true, [12]]);
});
