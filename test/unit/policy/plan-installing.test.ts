import { describe, expect, test } from '@jest/globals';

import { installingMs } from '../../../src/policy/installing.ts';
import { plan } from '../../../src/policy/plan.ts';
import { activating, boundTo, circumstances, conditionsOf, enforced, record, settled } from './plan-rig.ts';

const installation = {
  missing: ['MutatingAdmissionPolicy a', 'MutatingAdmissionPolicyBinding b'],
  differing: [],
};
const awaited = ['Ready=False AdmissionMissing', 'Reconciling=True AdmissionMissing'];
const stalled = ['Ready=False AdmissionMissing', 'Stalled=True AdmissionMissing'];
const names = 'MutatingAdmissionPolicy a, MutatingAdmissionPolicyBinding b are not installed';

describe('admission objects that are missing', () => {
  const first = plan(circumstances(record(), { installation }));
  const told = record(90, {}, { status: first.status });
  const waited = (activatingForMs: number | undefined) =>
    plan(circumstances(told, { installation, activatingForMs }));
  const given = plan(circumstances(told, { installation, activatingForMs: installingMs }));

  test('are waited for first, since an installation brings objects in any order', () => {
    expect(conditionsOf(first.status)).toEqual(awaited);
    expect(first).toMatchObject({
      binding: { do: 'keep' },
      activation: 'begins',
      againAfterMs: installingMs,
      status: { effective: { timeSeconds: 30 } },
    });
    expect(first.status.conditions?.[0]?.message).toContain(
      `${names} yet, so no new pod is changed: in an installation that passes by itself`,
    );
  });

  test.each([
    ['has just begun', 0, 'goes on', installingMs],
    ['is under way', 20_000, 'goes on', installingMs - 20_000],
    ['is about to end', installingMs - 1, 'goes on', 1],
    ['was begun by another process', undefined, 'begins', installingMs],
  ])('are waited for where the wait %s', (_, forMs, activation, againAfterMs) => {
    const next = waited(forMs);
    expect(conditionsOf(next.status)).toEqual(awaited);
    expect(next).toMatchObject({ activation, againAfterMs, status: first.status });
  });

  test.each([installingMs, installingMs + 1, 86_400_000])('are Stalled after %d ms', (forMs) => {
    const next = waited(forMs);
    expect(conditionsOf(next.status)).toEqual(stalled);
    expect(next).toMatchObject({ binding: { do: 'keep' }, activation: 'none', againAfterMs: undefined });
    expect(next.status.conditions?.[0]?.message).toBe(
      `${names}, so no new pod is changed: install the operator again (docs/runbook.md#install-it-again)`,
    );
  });

  test('stay Stalled for a process that has not waited itself', () => {
    const of = record(90, {}, { status: given.status });
    const next = plan(circumstances(of, { installation }));
    expect(next.status).toEqual(given.status);
    expect(next.againAfterMs).toBeUndefined();
  });

  test('are waited for anew where the spec has changed, since who changed it may install them as well', () => {
    const of = record(60, {}, { status: given.status, generation: 2 });
    const next = plan(circumstances(of, { installation, activatingForMs: installingMs }));
    expect(conditionsOf(next.status)).toEqual(awaited);
    expect(next.againAfterMs).toBe(installingMs);
  });

  test('are waited for as well where a policy was Ready before', () => {
    const next = plan({ ...settled(), installation });
    expect(conditionsOf(next.status)).toEqual(awaited);
    expect(next.activation).toBe('begins');
  });

  test.each([
    ['while they were waited for', first],
    ['after they had stalled', given],
  ])('are followed by an activation of its own when they come %s', (_, { status }) => {
    const of = record(90, {}, { status });
    const found = plan(circumstances(of, { binding: boundTo(of), activatingForMs: 59_000 }));
    expect(conditionsOf(found.status)).toEqual(activating);
    expect(found.activation).toBe('begins');
  });
});

describe('admission objects of another version', () => {
  const quiet = settled();
  const one = { object: 'MutatingAdmissionPolicy a', field: 'spec', by: 'another version' } as const;
  const other = { missing: [], differing: [one] };
  const differs = ['Ready=False AdmissionDiffers', 'Reconciling=True AdmissionDiffers'];
  const first = plan({ ...quiet, installation: other });

  test('leave a policy Ready that was, since an upgrade brings them before its controller leads', () => {
    expect(conditionsOf(first.status)).toEqual(enforced);
    expect(first).toMatchObject({
      status: quiet.record.status,
      binding: { do: 'keep' },
      activation: 'begins',
      againAfterMs: installingMs,
    });
  });

  test.each([
    [installingMs - 1, enforced, 'goes on', 1],
    [installingMs, differs, 'none', undefined],
  ])('are told of where they stay: after %d ms', (activatingForMs, expected, activation, againAfterMs) => {
    const next = plan({ ...quiet, installation: other, activatingForMs });
    expect(conditionsOf(next.status)).toEqual(expected);
    expect([next.activation, next.againAfterMs]).toEqual([activation, againAfterMs]);
  });

  test('are told of from then on, whichever process looks', () => {
    const { status } = plan({ ...quiet, installation: other, activatingForMs: installingMs });
    const next = plan({ ...quiet, installation: other, record: { ...quiet.record, status } });
    expect(conditionsOf(next.status)).toEqual(differs);
  });

  test('are told of at once where the policy was not Ready, and where somebody edited one of them', () => {
    expect(conditionsOf(plan(circumstances(record(), { installation: other })).status)).toEqual(differs);
    const edited = { ...other, differing: [one, { ...one, by: 'somebody' as const }] };
    expect(conditionsOf(plan({ ...quiet, installation: edited }).status)).toEqual([
      'Ready=False AdmissionDiffers',
      'Stalled=True AdmissionDiffers',
    ]);
  });

  test('need no new activation where their controller follows in time', () => {
    const next = plan({
      ...quiet,
      record: { ...quiet.record, status: first.status },
      activatingForMs: 20_000,
    });
    expect(conditionsOf(next.status)).toEqual(enforced);
    expect(next.activation).toBe('none');
  });
});
