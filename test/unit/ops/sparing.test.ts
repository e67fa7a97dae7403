import { beforeEach, expect, test } from '@jest/globals';

import { sparing } from '../../../src/ops/sparing.ts';
import { HandClock } from '../kube/hand-clock.ts';

let clock: HandClock;
let made: number;
beforeEach(() => {
  clock = new HandClock();
  made = 0;
});

/** Each takes 20 ms. */
const ask = () =>
  sparing(
    () => {
      made += 1;
      clock.advance(20);
      return Promise.resolve(made);
    },
    () => clock.now(),
  );

test('what took 20 ms is made anew some 180 ms later, and not before', async () => {
  const text = ask();
  expect(await text()).toBe(1);
  clock.advance(175);
  expect(await text()).toBe(1);
  clock.advance(10);
  expect(await text()).toBe(2);
});

test('who asks over and over takes one part in ten of the time', async () => {
  const text = ask();
  const startedAt = clock.now();
  for (; clock.now() < startedAt + 10_000; clock.advance(1)) await text();
  expect(made * 20).toBeLessThanOrEqual(1000);
});

test('what could not be made is asked for again at once', async () => {
  let fails = true;
  const text = sparing(
    () => {
      clock.advance(20);
      return fails ? Promise.reject(new Error('no')) : Promise.resolve('yes');
    },
    () => clock.now(),
  );
  await expect(text()).rejects.toThrow('no');
  fails = false;
  expect(await text()).toBe('yes');
});
