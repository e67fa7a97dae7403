import { beforeEach, expect, test } from '@jest/globals';

import { Places } from '../../../src/agent/places.ts';
import type { Visit } from '../../../src/agent/node-kernel.ts';
import type { Reading } from '../../../src/policy/reading.ts';
import { HOST } from '../../../src/policy/reading.ts';
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

const selected = (pod: PodSelection['pod'], want: PodSelection['wanted'] = wanted): PodSelection => ({
  ...{ pod, by: [], wanted: want, sockets: want.asked, sandbox: undefined },
});
const plan = (pods: PodSelection[], nowMs = 0, everything = false) =>
  places.plan({ pods, host: { by: [], wanted: asking(), sockets: undefined } } satisfies NodeSelections, {
    nowMs,
    everything,
  });
const read = (place: string, state: Reading['state'] = 'read'): Reading => ({
  ...{ place, state, now: kernelDefaults, found: {}, faults: [], repaired: 0, putRight: false, wrote: {} },
});
const takeAll = (visits: readonly Visit[], state?: Reading['state'], nowMs = 0) => {
  places.take(
    visits.map(({ place }) => read(place, place === HOST ? 'read' : state)),
    nowMs,
  );
};
const namesOf = (visits: readonly Visit[]) => visits.map(({ place }) => place);

test('everything is visited once, then only what changed', () => {
  const visits = plan([selected(first), selected(second)]);
  expect(namesOf(visits)).toEqual([HOST, first.kubeletUid, second.kubeletUid]);
  takeAll(visits);
  expect(plan([selected(first), selected(second)])).toEqual([]);
  const stricter = asking(60);
  expect(plan([selected(first, stricter), selected(second)])).toEqual([
    { place: first.kubeletUid, wanted: stricter, anew: false },
  ]);
});

test('what was asked for and not answered is asked for again', () => {
  plan([selected(first)]);
  expect(namesOf(plan([selected(first)]))).toEqual([HOST, first.kubeletUid]);
});

test('a pod that nobody selects any more is visited once more', () => {
  takeAll(plan([selected(first)]));
  expect(plan([{ ...selected(first), wanted: asking() }])).toMatchObject([
    { place: first.kubeletUid, wanted: asking() },
  ]);
});

test('a pod with new addresses may have a new sandbox', () => {
  takeAll(plan([selected(first)]));
  expect(plan([selected({ ...first, started: true })])).toMatchObject([{ anew: false }]);
  expect(plan([selected({ ...first, addresses: '10.0.0.9' })])).toMatchObject([{ anew: true }]);
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

test('an event of that pod makes it looked for at once', () => {
  takeAll(plan([selected(first)]), 'absent');
  expect(namesOf(plan([selected({ ...first, started: true })]))).toEqual([first.kubeletUid]);
});

test('what is there is due by time only when it is time for everything', () => {
  takeAll(plan([selected(first)]));
  expect(places.nextDueMs(0)).toBeUndefined();
  expect(namesOf(plan([selected(first)], 0, true))).toEqual([HOST, first.kubeletUid]);
});

test('pods of the host’s network and of other kernels have no place of their own', () => {
  const host = nodePodOf({ name: 'host', spec: { hostNetwork: true } });
  expect(namesOf(plan([selected(host), { ...selected(first), sandbox: 'runsc' }]))).toEqual([HOST]);
});

test('a pod that is gone is forgotten with its reading', () => {
  takeAll(plan([selected(first), selected(second)]));
  plan([selected(second)]);
  expect([...places.names]).toEqual([HOST, second.kubeletUid]);
  expect([...places.readings.keys()]).toEqual([HOST, second.kubeletUid]);
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
    { place: first.kubeletUid, readOnly: true },
  ]);
  takeAll(visits);
  expect(still()).toEqual([]);
  expect(still(true)).toMatchObject([{ readOnly: true }, { readOnly: true }]);
  const again = plan([selected(first)]);
  expect(namesOf(again)).toEqual([HOST, first.kubeletUid]);
  expect(again[1]).toEqual({ place: first.kubeletUid, wanted, anew: false });
});
