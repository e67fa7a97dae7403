import { beforeEach, expect, test } from '@jest/globals';

import { LingeringStore } from '../../../src/kube/lingering-store.ts';
import { HandClock } from './hand-clock.ts';

interface Thing {
  readonly uid: string;
}

let clock: HandClock;
let store: LingeringStore<Thing>;
let left: [key: string, before: Thing | undefined][];
beforeEach(() => {
  clock = new HandClock();
  store = new LingeringStore(60_000, clock);
  left = [];
  store.onLeft = (key, before) => left.push([key, before]);
  store.set('a', { uid: '1' });
});

function replaceBy(things: Readonly<Record<string, Thing>>): unknown[] {
  const next = store.replacement();
  for (const [key, thing] of Object.entries(things)) next.set(key, thing);
  return [...next.commit()].filter((change) => change !== undefined);
}

test.each<[how: string, goes: () => unknown]>([
  ['that a watch tells to be gone', () => store.delete('a')],
  ['that a list has not any more', () => replaceBy({})[0] ?? false],
])('one %s is held for a while, and is no change before', (_how, goes) => {
  expect(goes()).toBe(false);
  clock.advance(59_999);
  // Told again, it has not gone later.
  goes();
  expect([store.get('a'), left]).toEqual([{ uid: '1' }, []]);
  clock.advance(1);
  expect([store.size, left]).toEqual([0, [['a', { uid: '1' }]]]);
});

test.each<[how: string, comes: () => void]>([
  ['by a watch', () => store.set('a', { uid: '2' })],
  ['by a list', () => replaceBy({ a: { uid: '2' } })],
])('one that comes again meanwhile, %s, stays', (_how, comes) => {
  store.delete('a');
  clock.advance(59_000);
  comes();
  clock.advance(600_000);
  expect([store.get('a'), left]).toEqual([{ uid: '2' }, []]);
});

test('one that comes again as it was is no change', () => {
  store.delete('a');
  expect(store.set('a', { uid: '1' })).toBe(false);
});

test('nothing is waited for once nobody reads it any more', () => {
  store.delete('a');
  store.close();
  expect([clock.pending, store.get('a')]).toEqual([[], { uid: '1' }]);
});
