import { expect, test } from '@jest/globals';

import type { Condition, PolicyStatus } from '../../../src/api/status.ts';
import { readingOf } from '../../../src/controller/reading.ts';

const record = { kind: 'KeepalivePolicy', namespace: 'db', name: 'p' } as const;

function condition(type: Condition['type'], status: Condition['status']): Condition {
  return { type, status, reason: 'R', message: '', observedGeneration: 1, lastTransitionTime: '' };
}

const pods = { selected: 12, declared: 9, skipped: 1, summary: '9/12' };
const connections = { established: 340, protected: 338, exposed: 2 };

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
  expect(readingOf(record, status)).toMatchObject({ ...record, ...reading });
});
