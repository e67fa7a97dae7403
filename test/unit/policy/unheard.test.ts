import { describe, expect, test } from '@jest/globals';

import type { Coverage } from '../../../src/api/condition.ts';
import { lastingReasons } from '../../../src/policy/coverage.ts';
import { plan } from '../../../src/policy/plan.ts';
import { asHeard } from '../../../src/policy/unheard.ts';
import { conditionsOf, enforced, settled } from './plan-rig.ts';

const coverages: Coverage[] = [
  { status: 'True', reason: 'AllCovered', message: '', uncovered: { pods: 0 } },
  { status: 'False', reason: 'NotCovered', message: '', uncovered: { pods: 2, hosts: 1 } },
  { status: 'Unknown', reason: 'PodsPending', message: '' },
];

describe.each(coverages)('coverage that was $status', (coverage) => {
  test('is as it was counted while all is heard that it is counted from', () => {
    expect(asHeard(coverage, [])).toBe(coverage);
  });

  test('is unknown where it is not, and what was counted is told on', () => {
    const { message, ...rest } = asHeard(coverage, ['nodekeepalives', 'pods']);
    expect(rest).toEqual({
      ...{ status: 'Unknown', reason: 'WatchSilent', lasting: 'WatchSilent' },
      uncovered: coverage.uncovered,
    });
    expect(lastingReasons).toContain('WatchSilent');
    expect(message).toContain('heard nothing of nodekeepalives, pods for more than ten minutes');
    expect(message).toContain('docs/runbook.md#install-it-again');
  });
});

test('a policy stays Ready: what it is enforced by hears for itself', () => {
  const { status } = plan({ ...settled(), unheard: ['nodekeepalives'] });
  expect(conditionsOf(status)).toEqual(enforced);
  expect(status.conditions?.find(({ type }) => type === 'Covered')).toMatchObject({
    ...{ status: 'Unknown', reason: 'WatchSilent' },
  });
});
