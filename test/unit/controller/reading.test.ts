import { expect, test } from '@jest/globals';

import type { Coverage } from '../../../src/api/condition.ts';
import type { Acting } from '../../../src/api/settings.ts';
import { defaultSettings } from '../../../src/api/settings.ts';
import type { Condition, PolicyStatus } from '../../../src/api/status.ts';
import { readingOf, Readings } from '../../../src/controller/reading.ts';

import { policyRecord } from '../../../src/policy/record.ts';
import { teamSpec } from '../../support/builder.ts';

const names = { kind: 'KeepalivePolicy', namespace: 'db', name: 'p' } as const;

function circumstancesOf(mode: 'Enforce' | 'Audit', acting: Acting) {
  const spec = teamSpec(90, { mode });
  const record = policyRecord('KeepalivePolicy', { metadata: { ...names, uid: 'u' }, spec });
  return { record, settings: { settings: { ...defaultSettings, acting }, problems: [] } };
}

function condition(type: Condition['type'], status: Condition['status']): Condition {
  return { type, status, reason: 'R', message: '', observedGeneration: 1, lastTransitionTime: '' };
}

const pods = { selected: 12, declared: 9, skipped: 1, summary: '9/12' };
const connections = { established: 340, protected: 338, exposed: 2 };

const coverage: Coverage = { status: 'Unknown', reason: 'R', message: '' };

test.each<[string, PolicyStatus, object]>([
  ['nothing at first', {}, { podsSelected: undefined, conditions: new Map() }],
  ['no live pods without agents', { pods }, { podsSelected: 12, podsLive: undefined }],
  ['a zero that was counted', { pods: { ...pods, live: 0 } }, { podsLive: 0 }],
  ['connections', { connections }, { connectionsEstablished: 340, connectionsExposed: 2 }],
  [
    'conditions but for unknown ones',
    {
      conditions: [
        condition('Ready', 'True'),
        condition('Covered', 'Unknown'),
        condition('Stalled', 'False'),
      ],
    },
    {
      conditions: new Map([
        ['Ready', true],
        ['Stalled', false],
      ]),
    },
  ],
])('metrics tell %s', (_, status, reading) => {
  const found = circumstancesOf('Enforce', 'Enforce');
  expect(readingOf(found, { status, coverage })).toMatchObject({ ...names, ...reading });
});

test.each<[string, Coverage['uncovered'], object]>([
  ['nothing where no agent reports', undefined, { podsUncovered: undefined, hostsUncovered: undefined }],
  ['pods of a policy that is for no nodes', { pods: 2 }, { podsUncovered: 2, hostsUncovered: undefined }],
  ['nodes, and a zero that was counted', { pods: 0, hosts: 1 }, { podsUncovered: 0, hostsUncovered: 1 }],
])('of what is known not to be covered they tell %s', (_, uncovered, reading) => {
  const found = circumstancesOf('Enforce', 'Enforce');
  expect(readingOf(found, { status: {}, coverage: { ...coverage, uncovered } })).toMatchObject(reading);
});

test.each<[string, Coverage, string | undefined]>([
  ['the reason of the condition', { ...coverage, reason: 'PodsPending' }, 'PodsPending'],
  [
    'what no waiting ends rather than a pod that just came',
    { ...coverage, reason: 'PodsPending', lasting: 'SocketsNotReachable' },
    'SocketsNotReachable',
  ],
  ['nothing where it is known', { ...coverage, status: 'False', lasting: 'OtherTransport' }, undefined],
])('why nobody knows what is covered: they tell %s', (_, is, coveredUnknown) => {
  const found = circumstancesOf('Enforce', 'Enforce');
  expect(readingOf(found, { status: {}, coverage: is })).toMatchObject({ coveredUnknown });
});

test.each([
  ['Enforce', 'Enforce', true],
  ['Audit', 'Enforce', false],
  ['Enforce', 'Audit', false],
  ['Enforce', 'AuditAndRestore', false],
] as const)('a policy of mode %s, where the cluster says %s: enforced is %s', (mode, acting, isEnforced) => {
  expect(readingOf(circumstancesOf(mode, acting), { status: {}, coverage })).toMatchObject({ isEnforced });
});

test('of a policy that cannot be read nobody knows whether it is enforced', () => {
  const record = policyRecord('KeepalivePolicy', { metadata: { ...names, uid: 'u' }, spec: {} });
  const settings = { settings: defaultSettings, problems: [] };
  expect(readingOf({ record, settings }, { status: {}, coverage }).isEnforced).toBeUndefined();
});

test('of a policy in excess metrics tell nothing, nor what it was before', () => {
  const readings = new Readings();
  const found = circumstancesOf('Enforce', 'Enforce');
  const told = () => [...readings.values()].map(({ name }) => name);
  readings.note('db/p', { ...found, inExcess: false }, { status: {}, coverage });
  expect(told()).toEqual(['p']);
  readings.note('db/p', { ...found, inExcess: true }, { status: {}, coverage });
  expect(told()).toEqual([]);
  readings.note('db/p', { ...found, inExcess: false }, { status: {}, coverage });
  expect(told()).toEqual(['p']);
  readings.forget('db/p');
  expect(told()).toEqual([]);
});
