import { describe, expect, test } from '@jest/globals';

import type { PolicyRecord } from '../../../src/policy/record.ts';
import { activationMs } from '../../../src/policy/evidence.ts';
import { installingMs } from '../../../src/policy/installing.ts';
import { plan, setback } from '../../../src/policy/plan.ts';
import { clusterPolicy } from '../../../src/policy/policy.ts';
import { platformSpec } from '../../support/builder.ts';
import {
  activating,
  after,
  boundTo,
  circumstances,
  conditionsOf,
  enforced,
  record,
  settled,
} from './plan-rig.ts';

describe('an obstacle', () => {
  const lacking = { missing: ['MutatingAdmissionPolicy a'], differing: [] };
  const unreadable = (rest: Partial<PolicyRecord>) =>
    record(90, {}, { policy: undefined, problems: 'spec.mode: Invalid option', generation: 2, ...rest });

  test.each([
    [
      'InvalidSpec',
      false,
      'The spec cannot be read (spec.mode: Invalid option). Correct it and apply it again; ',
    ],
    [
      'NotUnderstood',
      true,
      'This version of the operator does not understand the spec (spec.mode: Invalid option). ' +
        'Upgrade the operator, or take that out of the spec; ',
    ],
  ])('in the spec is Stalled with %s, and what was understood last is kept', (reason, isNewer, told) => {
    const { status: old } = settled().record;
    const of = unreadable({ isNewer, status: old });
    const { binding, status, againAfterMs } = plan(circumstances(of, { binding: boundTo(of) }));
    expect(binding).toEqual({ do: 'keep' });
    expect(againAfterMs).toBeUndefined();
    // No number that may be false.
    expect(Object.keys(status)).toEqual(['observedGeneration', 'effective', 'conditions']);
    expect(status.effective).toEqual(old.effective);
    expect(conditionsOf(status)).toEqual([`Ready=False ${reason}`, `Stalled=True ${reason}`]);
    expect(status.conditions?.[1]).toMatchObject({ type: 'Covered', status: 'Unknown', reason });
    expect(status.conditions?.[2]?.message).toBe(
      `${told}until then the values that were understood before (30/10/6) are kept`,
    );
  });

  test('in a spec that was never understood says that nothing acts', () => {
    const { status } = plan(circumstances(unreadable({})));
    expect(Object.keys(status)).toEqual(['observedGeneration', 'conditions']);
    expect(status.conditions?.[0]?.message).toContain('until then nothing acts');
  });

  test('in a path that gives no values says what to declare', () => {
    const proxies = clusterPolicy('platform', platformSpec(90));
    const { status } = plan(circumstances(record(90, {}, { policy: { ...proxies, effective: undefined } })));
    expect(conditionsOf(status)).toEqual(['Ready=False InvalidSpec', 'Stalled=True InvalidSpec']);
    expect(status.conditions?.[0]?.message).toContain('declare at least one hop that follows packets');
  });

  test('that was removed leads to Ready again, once the API server must have taken up what was missing', () => {
    const quiet = settled();
    const lost = plan({ ...quiet, installation: lacking });
    const found = plan({ ...quiet, record: { ...quiet.record, status: lost.status } });
    expect(conditionsOf(found.status)).toEqual(['Ready=False Activating', 'Reconciling=True Activating']);
    const record = { ...quiet.record, status: found.status };
    expect(conditionsOf(plan({ ...quiet, record, activatingForMs: activationMs }).status)).toEqual(enforced);
  });

  test('of an object that somebody edited is Stalled, names the field, and the numbers go on', () => {
    const differing = [{ object: 'MutatingAdmissionPolicy a', field: 'spec.variables[1].expression' }];
    const seen = (by: 'somebody' | 'another version') => {
      const installation = { missing: [], differing: differing.map((one) => ({ ...one, by })) };
      return plan({ ...settled(), installation, activatingForMs: installingMs });
    };
    const { status, binding } = seen('somebody');
    expect(binding).toEqual({ do: 'keep' });
    expect(conditionsOf(status)).toEqual(['Ready=False AdmissionDiffers', 'Stalled=True AdmissionDiffers']);
    expect(status.conditions?.[0]?.message).toBe(
      'MutatingAdmissionPolicy a differs in spec.variables[1].expression from what this version installs: ' +
        'somebody edited it, and new pods may not get the values. Install the operator again (docs/runbook.md#install-it-again)',
    );
    expect(status.pods?.summary).toBe('1/2');
    // An upgrade ends by itself, and tools that give up on Stalled should not give up on it.
    expect(conditionsOf(seen('another version').status)).toEqual([
      'Ready=False AdmissionDiffers',
      'Reconciling=True AdmissionDiffers',
    ]);
  });

  test.each(['somebody', 'another version'] as const)(
    'of an object that differed by %s is followed by an activation',
    (by) => {
      const quiet = settled();
      const installation = {
        missing: [],
        differing: [{ object: 'MutatingAdmissionPolicy a', field: 'spec', by }],
      };
      const { status } = plan({ ...quiet, installation, activatingForMs: installingMs });
      expect(conditionsOf(plan({ ...quiet, record: { ...quiet.record, status } }).status)).toEqual(
        activating,
      );
    },
  );

  test('of admission is none for a policy that admission does nothing for', () => {
    const audit = circumstances(record(90, { mode: 'Audit' }), {
      installation: lacking,
    });
    expect(conditionsOf(plan(audit).status)).toEqual(['Ready=True Audited']);
  });

  test('met while the binding is written is said, the numbers stay, and the next try activates anew', () => {
    const first = circumstances(record());
    const failed = setback(first, plan(first), 'the API server said no');
    expect(conditionsOf(failed)).toEqual(['Ready=False BindingFailed', 'Reconciling=True BindingFailed']);
    expect(failed.conditions?.[0]?.message).toBe('the API server said no');
    expect(failed).toMatchObject({
      observedGeneration: 1,
      effective: { timeSeconds: 30 },
      pods: { selected: 2 },
    });
    const retry = plan(circumstances(record(90, {}, { status: failed }), { now: after(60_000) }));
    expect(retry.binding.do).toBe('create');
    expect(retry.againAfterMs).toBe(activationMs);
    expect(retry.status.conditions?.[2]).toMatchObject({
      reason: 'Activating',
      lastTransitionTime: '2026-05-04T10:01:00Z',
    });
  });
});
