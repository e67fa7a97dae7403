import { beforeEach, expect, test } from '@jest/globals';

import type { PolicyRecord } from '../../../src/policy/record.ts';
import { platform, team } from '../../support/builder.ts';
import { Rig } from './counts-rig.ts';

let rig: Rig;
const those = ['cloud', 'db/a', 'db/b'];
const woken = () => [...rig.woken].sort();

function put(name: string, createdAt = '2026-05-04T10:00:00Z', seconds = 90): void {
  const policy = team(seconds, {}, name);
  const rest = { uid: name, generation: 1, problems: undefined, status: {}, createdAt };
  rig.put<PolicyRecord>('keepalivepolicies', `db/${name}`, { ...policy, policy, ...rest });
}

/** A namespace that may have two policies, and one more in it that came last. */
beforeEach(async () => {
  rig = new Rig();
  rig.limit('2');
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
  const policy = platform(90, {}, 'cloud');
  const rest = { uid: 'cloud', generation: 1, problems: undefined, status: {} };
  rig.put('clusterkeepalivepolicies', 'cloud', { ...policy, policy, ...rest });
  for (const name of ['a', 'b']) put(name);
  for (const key of those) await rig.world.counts.settle(key, () => true);
  rig.woken.clear();
  put('x', '2030-01-01T00:00:00Z', 45);
});

test('a policy in excess is looked at when it comes, and nobody else is', () => {
  expect(woken()).toEqual(['db/x']);
});

test('it is not looked at for what concerns those that act', () => {
  rig.woken.clear();
  rig.put('mutatingadmissionpolicies', 'keepalivepolicy.keepalive.dev', { uid: 'p' });
  expect(woken()).toEqual(those);
});

test('it is looked at when the settings change', () => {
  rig.woken.clear();
  rig.limit('2');
  expect(woken()).toEqual([...those, 'db/x']);
});

test('it concerns all others there, being stricter, once it takes the place of one that goes', () => {
  rig.woken.clear();
  rig.put('keepalivepolicies', 'db/b', undefined);
  expect(woken()).toEqual([...those, 'db/x']);
});

test('how many there are in excess is known of all namespaces, and for each limit', () => {
  const excess = () => rig.world.acting.excess;
  expect(excess()).toBe(1);
  rig.limit('0');
  expect(excess()).toBe(3);
  rig.limit('100');
  expect(excess()).toBe(0);
  rig.limit('2');
  rig.put('keepalivepolicies', 'db/b', undefined);
  expect(excess()).toBe(0);
});
