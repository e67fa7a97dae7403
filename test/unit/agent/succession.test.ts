import { beforeEach, expect, test } from '@jest/globals';

import { Succession } from '../../../src/agent/succession.ts';
import { World } from '../../../src/agent/world.ts';
import { createLog } from '../../../src/ops/log.ts';
import { daemonSetRecord } from '../../../src/policy/daemonset.ts';

const home = 'agents';
const labels = { 'app.kubernetes.io/name': 'keepalive-operator', 'app.kubernetes.io/component': 'agent' };
const daemonSet = (metadata: object = {}, spec: object = {}) =>
  daemonSetRecord({
    metadata: { uid: 'd', resourceVersion: '1', namespace: home, name: 'acme-agent', ...metadata },
    spec: { template: { metadata: { labels }, spec } },
  });

let world: World;
let turns: boolean[];
let succession: Succession;
beforeEach(() => {
  world = new World('n1', home);
  world.nodes.set('n1', { uid: 'n', name: 'n1', labels: { pool: 'a' } });
  world.namespaces.set(home, { uid: 'h', name: home, labels: {}, isEnding: false });
  world.daemonsets.set('agents/acme-agent', daemonSet());
  turns = [];
  const log = createLog({ level: 'silent', base: {} });
  succession = new Succession({ world, log, onTurn: (isLast) => turns.push(isLast) });
});

test.each<[what: string, goes: () => void, comes: () => void]>([
  [
    'its DaemonSet goes',
    () => world.daemonsets.delete('agents/acme-agent'),
    () => world.daemonsets.set('agents/acme-agent', daemonSet({ uid: 'another' })),
  ],
  [
    'its DaemonSet is told to go, and another is made',
    () => world.daemonsets.set('agents/acme-agent', daemonSet({ deletionTimestamp: '2026-01-01T00:00:00Z' })),
    () => world.daemonsets.set('agents/other', daemonSet({ uid: 'o', name: 'other' })),
  ],
  [
    'its namespace goes',
    () => world.namespaces.set(home, { uid: 'h', name: home, labels: {}, isEnding: true }),
    () => world.namespaces.set(home, { uid: 'i', name: home, labels: {}, isEnding: false }),
  ],
  [
    'its node is none that agents are for',
    () => world.daemonsets.set('agents/acme-agent', daemonSet({}, { nodeSelector: { pool: 'b' } })),
    () => world.nodes.set('n1', { uid: 'n', name: 'n1', labels: { pool: 'b' } }),
  ],
])('an agent is the last one of its node once %s, until one follows all the same', (_what, goes, comes) => {
  succession.begin('acme-agent');
  expect([succession.isLast, turns]).toEqual([false, []]);
  goes();
  succession.look();
  succession.look();
  expect([succession.isLast, turns]).toEqual([true, [true]]);
  comes();
  succession.look();
  expect([succession.isLast, turns]).toEqual([false, [true, false]]);
});

test('before it knows whose it is, nothing tells that it is the last one', () => {
  world.daemonsets.delete('agents/acme-agent');
  succession.look();
  expect([succession.isLast, turns]).toEqual([false, []]);
  succession.begin('acme-agent');
  expect([succession.isLast, turns]).toEqual([true, [true]]);
});
