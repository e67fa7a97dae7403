import { expect, test } from '@jest/globals';

import { Activations } from '../../../src/controller/activation.ts';
import { HandClock } from '../kube/hand-clock.ts';

test('an activation is timed from when it began until it is over, each policy for itself', () => {
  const clock = new HandClock();
  const activations = new Activations(clock);
  const told = () => ['a', 'b'].map((policy) => activations.ofMs(policy)).map((ms) => ms && Math.floor(ms));
  expect(told()).toEqual([undefined, undefined]);
  activations.note('a', { activation: 'begins' });
  clock.advance(2000);
  activations.note('a', { activation: 'goes on' });
  activations.note('b', { activation: 'begins' });
  clock.advance(1000);
  expect(told()).toEqual([3000, 1000]);
  activations.note('a', { activation: 'begins' });
  activations.note('b', { activation: 'none' });
  clock.advance(10);
  expect(told()).toEqual([10, undefined]);
  activations.forget('a');
  expect(told()).toEqual([undefined, undefined]);
});

test('what was seen counts for what was written before the question, and for nothing that was written since', () => {
  const clock = new HandClock();
  const activations = new Activations(clock);
  activations.note('cluster', { activation: 'begins' });
  activations.note('db/early', { activation: 'begins' });
  activations.note('db/twice', { activation: 'begins' });
  clock.advance(10);
  const askedAt = clock.now();
  clock.advance(10);
  activations.note('db/late', { activation: 'begins' });
  activations.note('db/twice', { activation: 'begins' });
  activations.seen(activations.awaited('KeepalivePolicy'), askedAt);
  expect(activations.awaited('KeepalivePolicy').sort()).toEqual(['db/late', 'db/twice']);
  expect(activations.awaited('ClusterKeepalivePolicy')).toEqual(['cluster']);
  expect([activations.isAwaited('db/early'), activations.isAwaited('db/late')]).toEqual([false, true]);
});
