import { describe, expect, test } from '@jest/globals';

import type { Coverage, Verdict } from '../../../src/api/condition.ts';
import { conditionsOf } from '../../../src/api/condition.ts';
import type { Condition, ConditionType } from '../../../src/api/status.ts';

const now = new Date('2026-05-04T10:00:07.900Z');
const whole = '2026-05-04T10:00:07Z';
const then = '2026-01-01T00:00:00Z';
const said = (kind: Verdict['kind'], message = 'why'): Verdict => ({ kind, reason: 'Because', message });
const covered: Coverage = { status: 'Unknown', reason: 'Asked', message: 'nobody told' };
const before = (type: ConditionType, status: Condition['status'] = 'True'): Condition => ({
  type,
  status,
  reason: 'Earlier',
  message: 'then',
  observedGeneration: 1,
  lastTransitionTime: then,
});
const conditions = (verdict: Verdict, ...previous: Condition[]) =>
  conditionsOf(verdict, covered, { generation: 2, now, previous });
const timesOf = (list: Condition[]) =>
  Object.fromEntries(list.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));

describe('conditions', () => {
  test('carry what was said, the generation it was said of, and the time in whole seconds', () => {
    expect(conditions(said('ready'))).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'Because',
        message: 'why',
        observedGeneration: 2,
        lastTransitionTime: '2026-05-04T10:00:07Z',
      },
      {
        type: 'Covered',
        status: 'Unknown',
        reason: 'Asked',
        message: 'nobody told',
        observedGeneration: 2,
        lastTransitionTime: '2026-05-04T10:00:07Z',
      },
    ]);
  });

  test.each<[Verdict['kind'], object[]]>([
    [
      'ready',
      [
        { type: 'Ready', status: 'True' },
        { type: 'Covered', status: 'Unknown' },
      ],
    ],
    [
      'reconciling',
      [
        { type: 'Ready', status: 'False' },
        { type: 'Covered', status: 'Unknown' },
        { type: 'Reconciling', status: 'True' },
      ],
    ],
    [
      'stalled',
      [
        { type: 'Ready', status: 'False' },
        { type: 'Covered', status: 'Unknown' },
        { type: 'Stalled', status: 'True' },
      ],
    ],
  ])('of a policy that is %s say no more than that, whatever was said before', (kind, expected) => {
    const list = conditions(said(kind), before('Reconciling'), before('Stalled'), before('Ready'));
    expect(list.map(({ type, status }) => ({ type, status }))).toEqual(expected);
  });

  test.each<[string, Verdict['kind'], Condition[], Record<string, string>]>([
    ['a status that stays keeps its time', 'ready', [before('Ready')], { Ready: then, Covered: whole }],
    [
      'one that changes gets a new time',
      'ready',
      [before('Ready', 'False')],
      { Ready: whole, Covered: whole },
    ],
    [
      'each has a time of its own',
      'stalled',
      [before('Ready', 'False'), before('Covered', 'Unknown'), before('Reconciling')],
      { Ready: then, Covered: then, Stalled: whole },
    ],
  ])('%s', (_sentence, kind, previous, expected) => {
    expect(timesOf(conditions(said(kind), ...previous))).toEqual(expected);
  });

  test('have messages of at most 1024 characters', () => {
    const [first] = conditions(said('ready', 'x'.repeat(1024) + 'y'));
    expect(first?.message).toBe('x'.repeat(1024));
  });
});
