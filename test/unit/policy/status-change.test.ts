import { expect, test } from '@jest/globals';

import type { PolicyStatus, Refusal } from '../../../src/api/status.ts';
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
const refusedIn = (count: number, from = 0, times = 1): Refusal[] =>
  Array.from({ length: count }, (_, at) => ({
    ...{ namespace: `n${from + at}`, admission: 'Withheld', times, by: 'x', message: 'sysctls' },
    ...{ since: '2026-05-04T10:00:00Z', refusedAt: '2026-05-04T10:00:00Z' },
  }));
const full = { ...status, refusals: refusedIn(64) };
const replaced = (times: number, rest: Partial<PolicyStatus> = {}): PolicyStatus => ({
  ...full,
  refusals: [...refusedIn(63, 1), ...refusedIn(1, 64, times)],
  findings: [],
  ...rest,
});

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

test.each<[string, PolicyStatus, PolicyStatus, StatusChange]>([
  [
    'a namespace more is a verdict',
    { ...status, refusals: refusedIn(62) },
    { ...status, refusals: refusedIn(63) },
    'verdict',
  ],
  ['the last that has room is a verdict', { ...status, refusals: refusedIn(63) }, full, 'verdict'],
  ['one less is a verdict', full, { ...status, refusals: refusedIn(63) }, 'verdict'],
  ['a trial is a verdict', full, { ...full, refusals: refusedIn(64, 0, 2) }, 'verdict'],
  ['one in the place of another is a change of refusals', full, replaced(1), 'refusals'],
  ['one that comes back in the place of another is a return', full, replaced(2), 'returns'],
  ['another generation beside it is a verdict', full, replaced(2, { observedGeneration: 2 }), 'verdict'],
  [
    'another state of Covered beside a return is coverage',
    full,
    replaced(2, { conditions: [covered('', 'x')] }),
    'coverage',
  ],
  [
    'and beside one that is refused for the first time a change of refusals',
    full,
    replaced(1, { conditions: [covered('', 'x')] }),
    'refusals',
  ],
])('of the refusals that admission reads, %s', (_sentence, before, after, expected) => {
  expect(changeOf(before, after)).toBe(expected);
});
