import { beforeEach, expect, test } from '@jest/globals';

import { Places } from '../../../src/agent/places.ts';
import type { Visit } from '../../../src/agent/node-kernel.ts';
import type { Reading } from '../../../src/policy/reading.ts';
import type { Place } from '../../../src/policy/place.ts';
import { HOST } from '../../../src/policy/place.ts';
import type { NodeSelections, PodSelection } from '../../../src/policy/selection.ts';
import { kernelDefaults } from '../../../src/api/triple.ts';
import { asking, nodePodOf } from '../../support/builder.ts';

const wanted = asking(90);
const first = nodePodOf({ name: 'first' });
const second = nodePodOf({ name: 'second' });

let places: Places;
beforeEach(() => {
  places = new Places();
});

const by = [{}] as unknown as PodSelection['by'];
const selected = (pod: PodSelection['pod'], want: PodSelection['wanted'] = wanted): PodSelection => ({
  ...{ pod, by, wanted: want, sockets: want.asked },
});
const plan = (pods: PodSelection[], nowMs = 0, everything = false) =>
  places.plan({ pods, host: { by: [], wanted: asking(), sockets: undefined } } satisfies NodeSelections, {
    nowMs,
    everything,
  });
const read = (place: Place, state: Reading['state'] = 'read'): Reading => ({
  ...{ place, state, now: kernelDefaults, found: {}, faults: [], repaired: 0, putRight: false, wrote: {} },
});
const takeAll = (visits: readonly Visit[], state?: Reading['state'], nowMs = 0) => {
  places.take(
    visits.map(({ place }) => read(place, place === HOST ? 'read' : state)),
    { nowMs },
  );
};
const namesOf = (visits: readonly Visit[]) => visits.map(({ place }) => place);

test('everything is visited once, then only what changed', () => {
  const visits = plan([selected(first), selected(second)]);
  expect(namesOf(visits)).toEqual([HOST, first.place, second.place]);
  takeAll(visits);
  expect(plan([selected(first), selected(second)])).toEqual([]);
  const stricter = asking(60);
  expect(plan([selected(first, stricter), selected(second)])).toEqual([
    { place: first.place, wanted: stricter, anew: false, asked: true },
  ]);
});

test('what was asked for and not answered is asked for again', () => {
  plan([selected(first)]);
  expect(namesOf(plan([selected(first)]))).toEqual([HOST, first.place]);
});

test('a pod that nobody selects any more is visited once more', () => {
  takeAll(plan([selected(first)]));
  expect(plan([{ ...selected(first), wanted: asking() }])).toMatchObject([
    { place: first.place, wanted: asking() },
  ]);
});

test('a pod with new addresses may have a new sandbox', () => {
  takeAll(plan([selected(first)]));
  expect(plan([selected({ ...first, started: true })])).toMatchObject([{ anew: false, moved: true }]);
  expect(plan([selected({ ...first, addresses: '10.0.0.9' })])).toMatchObject([{ anew: true }]);
});

test('a pod with other containers may have one too, with the addresses of the old one', () => {
  takeAll(plan([selected(first)]));
  const identity = { ...first.identity, containers: ['c'.repeat(64)] };
  const visits = plan([selected({ ...first, identity })]);
  expect(visits).toMatchObject([{ anew: false, moved: true }]);
  takeAll(visits);
  expect(plan([selected({ ...first, identity }, asking(60))])[0]).not.toHaveProperty('moved');
});

test('what a pod went through is told until it was visited, whatever round fails', () => {
  const identity = { ...first.identity, containers: ['c'.repeat(64)] };
  takeAll(plan([selected(first)]));
  plan([selected({ ...first, addresses: '10.0.0.9' })]);
  const next = [selected({ ...first, addresses: '10.0.0.9', identity })];
  expect(plan(next)).toMatchObject([{ anew: true, moved: true }]);
  const visits = plan(next);
  expect(visits).toMatchObject([{ anew: true, moved: true }]);
  takeAll(visits);
  expect(plan(next)).toEqual([]);
});

test('what a pod went through while it waits to be looked for is told when it is', () => {
  takeAll(plan([selected(first)]), 'failed');
  const moved = [selected({ ...first, addresses: '10.0.0.9' })];
  expect(plan(moved, 99)).toEqual([]);
  // Told of it besides, by a visit elsewhere.
  takeAll([{ place: first.place, wanted, asked: true, anew: false }], 'contested', 99);
  expect(plan(moved, 300)).toMatchObject([{ anew: true, moved: true }]);
});

test('a pod without a process is looked for again soon, and less and less often', () => {
  let nowMs = 0;
  const pauses: number[] = [];
  for (let time = 0; time < 12; time += 1) {
    takeAll(plan([selected(first)], nowMs), 'absent', nowMs);
    const dueMs = places.nextDueMs(nowMs) ?? NaN;
    expect(plan([selected(first)], nowMs + dueMs - 1)).toEqual([]);
    pauses.push(dueMs);
    nowMs += dueMs;
  }
  expect(pauses[0]).toBeLessThanOrEqual(100);
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(5000);
  expect(pauses.at(-1)).toBeLessThanOrEqual(10_000);
});

test('one that moved is looked for as well until its next network is found', () => {
  const doubted = (nowMs: number) => places.take([{ ...read(first.place), doubted: true }], { nowMs });
  takeAll(plan([selected(first)]));
  const moved = selected({ ...first, started: true });
  expect(plan([moved])).toMatchObject([{ moved: true }]);
  doubted(0);
  expect(places.nextDueMs(0)).toBeLessThanOrEqual(100);
  expect(namesOf(plan([moved], 100))).toEqual([first.place]);
  takeAll(plan([moved], 100));
  expect(places.nextDueMs(100)).toBeUndefined();
});

test('news from its kubelet makes it looked for soon', () => {
  for (let nowMs = 0; nowMs < 60_000; nowMs += 10_000)
    takeAll(plan([selected(first)], nowMs), 'absent', nowMs);
  const started = [selected({ ...first, started: true })];
  expect(plan(started, 50_001)).toEqual([]);
  expect(places.nextDueMs(50_001)).toBeLessThanOrEqual(100);
  expect(namesOf(plan(started, 50_100))).toEqual([first.place]);
});

test('what its owner changes, however often, makes nobody go through processes', () => {
  takeAll(plan([selected(first)]), 'absent');
  takeAll(plan([selected(first)], 100), 'absent', 100);
  const dueMs = places.nextDueMs(100);
  for (let time = 0; time < 10; time += 1)
    expect(plan([selected({ ...first, labels: { time: `${time}` } })], 101)).toEqual([]);
  expect(places.nextDueMs(100)).toBe(dueMs);
});

test('a hundred pods without a process are looked for together, no more often than one', () => {
  const crowd = Array.from({ length: 100 }, (_, at) => selected(nodePodOf({ name: `crowd-${at}` })));
  let looks = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += Math.max(1, places.nextDueMs(nowMs) ?? NaN)) {
    const visits = plan(crowd, nowMs);
    takeAll(visits, 'absent', nowMs);
    if (visits.length > 0) looks += 1;
    if (nowMs > 0) expect([0, 100]).toContain(visits.length);
  }
  expect(looks).toBeLessThan(20);
});

test('looking rests in proportion to what it takes, whoever comes', () => {
  takeAll(plan([selected(first)]), 'absent');
  places.take([read(first.place, 'absent')], { nowMs: 200, walkMs: 400 });
  expect(plan([selected(first), selected(second)], 4100)).toEqual([]);
  expect(namesOf(plan([selected(first), selected(second)], 4200))).toEqual([first.place, second.place]);
});

test('a pod that nobody selects is not looked for again', () => {
  takeAll(plan([{ ...selected(first), by: [], wanted: asking() }]), 'absent');
  expect(places.nextDueMs(0)).toBeUndefined();
  const changed = { ...first, started: true };
  expect(plan([{ ...selected(changed), by: [], wanted: asking() }])).toMatchObject([{ asked: false }]);
});

test('one that is only audited is looked for, since it is told of', () => {
  takeAll(plan([{ ...selected(first), by: [], wanted: asking() }]), 'absent');
  expect(plan([{ ...selected(first), wanted: asking() }])).toMatchObject([{ asked: true }]);
});

test('what is there is due by time only when it is time for everything', () => {
  takeAll(plan([selected(first)]));
  expect(places.nextDueMs(0)).toBeUndefined();
  expect(namesOf(plan([selected(first)], 0, true))).toEqual([HOST, first.place]);
});

test('pods of the host’s network have no place of their own', () => {
  const host = nodePodOf({ name: 'host', spec: { hostNetwork: true } });
  expect(namesOf(plan([selected(host)]))).toEqual([HOST]);
});

test('one with a kernel of its own was found, and is not looked for again', () => {
  takeAll(plan([selected(first)]), 'sandboxed');
  expect(places.nextDueMs(0)).toBeUndefined();
  expect(namesOf(plan([selected(first)]))).toEqual([]);
});

test('a pod that is gone is forgotten with its reading', () => {
  takeAll(plan([selected(first), selected(second)]));
  plan([selected(second)]);
  expect([...places.names]).toEqual([HOST, second.place]);
  expect([...places.readings.keys()]).toEqual([HOST, second.place]);
});

test('while nothing may be changed, every place is only read; after that all of them are visited again', () => {
  takeAll(plan([selected(first)]));
  const still = (everything = false) =>
    places.plan(
      { pods: [selected(first)], host: { by: [], wanted: asking(), sockets: undefined } },
      { nowMs: 0, everything, readOnly: true },
    );
  const visits = still();
  expect(visits).toMatchObject([
    { place: HOST, readOnly: true },
    { place: first.place, readOnly: true },
  ]);
  takeAll(visits);
  expect(still()).toEqual([]);
  expect(still(true)).toMatchObject([{ readOnly: true }, { readOnly: true }]);
  const again = plan([selected(first)]);
  expect(namesOf(again)).toEqual([HOST, first.place]);
  expect(again[1]).toEqual({ place: first.place, wanted, anew: false, asked: true });
});
