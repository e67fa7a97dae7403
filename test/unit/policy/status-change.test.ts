import { expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../../src/api/status.ts';
import type { StatusChange } from '../../../src/policy/status-change.ts';
import { changeOf } from '../../../src/policy/status-change.ts';

const covered = (message: string, reason = 'AllCovered') => ({
  ...{ type: 'Covered' as const, status: 'True' as const, reason, message, observedGeneration: 1 },
  lastTransitionTime: '2026-05-04T10:00:00Z',
});
const finding = { reason: 'NotLive', pod: 'web-1', node: 'n1', message: 'on 2 nodes (n1, n2): why' };
const status: PolicyStatus = {
  observedGeneration: 1,
  pods: { selected: 2, declared: 2, live: 2, skipped: 0, summary: '2/2' },
  connections: { established: 18, protected: 18, exposed: 0, unknown: 0 },
  conditions: [covered('2 pods and 18 open connections')],
  findings: [finding],
  findingsTotal: 1,
};
const pods = { selected: 3, declared: 3, live: 3, skipped: 0, summary: '3/3' };
const connections = { established: 20, protected: 20, exposed: 0, unknown: 0 };
const { connections: _connections, ...uncounted } = status;

test.each<[string, PolicyStatus, StatusChange]>([
  ['the same is none', { ...status }, 'none'],
  [
    'more connections are only counts, in words too',
    { ...status, connections, conditions: [covered('2 pods and 20 open connections')] },
    'connections',
  ],
  ['other words of a condition are news', { ...status, pods, conditions: [covered('3 pods')] }, 'news'],
  [
    'more pods are counts, in the same words',
    { ...status, pods, connections, conditions: [covered('3 pods and 20 open connections')] },
    'pods',
  ],
  ['more findings than are listed are counts', { ...status, findingsTotal: 30 }, 'pods'],
  [
    'another reason of Covered is coverage',
    { ...status, conditions: [covered('', 'PodsPending')] },
    'coverage',
  ],
  [
    'that Covered is True no longer is a verdict: whoever waits for it must not go on by what was',
    { ...status, conditions: [{ ...covered('', 'PodsPending'), status: 'Unknown' }] },
    'verdict',
  ],
  [
    'another reason of any other condition is a verdict',
    { ...status, conditions: [...(status.conditions ?? []), { ...covered(''), type: 'Stalled' }] },
    'verdict',
  ],
  ['another generation is a verdict', { ...status, observedGeneration: 2 }, 'verdict'],
  ['admission withheld is a verdict', { ...status, admission: 'Withheld', findings: [] }, 'verdict'],
  ['a finding of another pod is news', { ...status, findings: [{ ...finding, pod: 'web-2' }] }, 'news'],
  ['a finding less is news', { ...status, findings: [] }, 'news'],
  ['connections that were not counted before are news', uncounted, 'news'],
])('%s', (_sentence, after, expected) => {
  expect(changeOf(status, after)).toBe(expected);
});
