import { describe, expect, test } from '@jest/globals';

import type { BindingRecord, Circumstances, Plan } from '../../../src/policy/plan.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { activationMs, missingAdmission, plan, setback } from '../../../src/policy/plan.ts';
import { clusterPolicy } from '../../../src/policy/policy.ts';
import { platformSpec, team } from '../../support/builder.ts';
import { after, applied, boundTo, circumstances, conditionsOf, record } from './plan-rig.ts';

const activating = ['Ready=False Activating', 'Reconciling=True Activating'];
const enforced = ['Ready=True Enforced'];

/** A policy that has been Ready for a while. */
function settled(): Circumstances {
  const first = plan(circumstances(record()));
  const binding = applied(first, undefined);
  const then = plan(circumstances(record(90, {}, { status: first.status }), { binding, now: after(3000) }));
  return circumstances(record(90, {}, { status: then.status }), { binding, now: after(60_000) });
}

describe('a cluster policy from its creation on', () => {
  test('is bound at first sight, and Activating', () => {
    const { binding, status, againAfterMs } = plan(circumstances(record()));
    expect(binding).toMatchObject({
      do: 'create',
      binding: {
        metadata: { name: 'platform.clusterkeepalivepolicy.keepalive.dev', ownerReferences: [{ uid: 'u1' }] },
        spec: { matchResources: { objectSelector: {}, namespaceSelector: {} } },
      },
    });
    expect(conditionsOf(status)).toEqual(activating);
    expect(againAfterMs).toBe(activationMs);
    expect(status).toMatchObject({
      observedGeneration: 1,
      effective: {
        idleTimeoutSeconds: 90,
        limitedBy: 'nat',
        timeSeconds: 30,
        intervalSeconds: 10,
        probes: 6,
      },
      pods: { selected: 2, declared: 1, skipped: 0, summary: '1/2' },
      findings: [{ reason: 'NotDeclared', pod: 'web' }],
      findingsTotal: 1,
    });
  });

  test('stays Activating while the API server may not have taken the binding up', () => {
    const first = plan(circumstances(record()));
    const soon = plan(
      circumstances(record(90, {}, { status: first.status }), {
        binding: applied(first, undefined),
        now: after(2000),
      }),
    );
    expect(soon.binding).toEqual({ do: 'keep' });
    expect(soon.status).toEqual(first.status);
    // The time in the condition lacks the 700 ms.
    expect(soon.againAfterMs).toBe(300);
  });

  test('is Ready after three seconds', () => {
    const { status } = settled().record;
    expect(conditionsOf(status)).toEqual(enforced);
    expect(status.conditions?.[0]?.message).toBe(
      'New pods start with keepalive 30/10/6 where theirs is not enough: probes after 30 and 40 s, before nat forgets at 90 s; given up after 90 s',
    );
  });

  test('gets no other status while nothing changes: nothing is written', () => {
    const quiet = settled();
    const { binding, status, againAfterMs } = plan(quiet);
    expect(binding).toEqual({ do: 'keep' });
    expect(status).toEqual(quiet.record.status);
    expect(againAfterMs).toBeUndefined();
  });

  test('has no findings where there are none', () => {
    const { status } = plan(circumstances(record(), { neighbourhoods: [] }));
    expect(Object.keys(status)).toEqual(['observedGeneration', 'effective', 'pods', 'conditions']);
  });
});

describe('a change', () => {
  test.each<[string, PolicyRecord]>([
    ['of the timeout activates anew', record(60, {}, { generation: 2 })],
    [
      'of a word that changes no value activates anew, too',
      record(90, { openConnections: 'Observe' }, { generation: 2 }),
    ],
    ['of what a preset stands for, by a new version of the operator', record(60)],
  ])('%s', (_sentence, changed) => {
    const quiet = settled();
    const next = plan({ ...quiet, record: { ...changed, status: quiet.record.status } });
    expect(next.binding).toEqual({ do: 'keep' });
    expect(conditionsOf(next.status)).toEqual(activating);
    expect(next.status.observedGeneration).toBe(changed.generation);
    expect(next.againAfterMs).toBe(activationMs);
  });

  test('while another is under way begins a transition of its own', () => {
    const first = plan(circumstances(record()));
    const second = plan(
      circumstances(record(60, {}, { generation: 2, status: first.status }), { now: after(2000) }),
    );
    const timesOf = ({ status }: Plan) => status.conditions?.map((condition) => condition.lastTransitionTime);
    expect(timesOf(first)).toEqual(['2026-05-04T10:00:00Z', '2026-05-04T10:00:00Z']);
    // Ready was False and still is.
    expect(timesOf(second)).toEqual(['2026-05-04T10:00:00Z', '2026-05-04T10:00:02Z']);
  });

  test('of the selector replaces the binding', () => {
    const quiet = settled();
    const narrower = record(
      90,
      { podSelector: { matchLabels: { app: 'mongo' } } },
      { generation: 2, status: quiet.record.status },
    );
    const { binding, status } = plan({ ...quiet, record: narrower });
    expect(binding).toMatchObject({
      do: 'replace',
      present: quiet.binding,
      binding: { spec: { matchResources: { objectSelector: { matchLabels: { app: 'mongo' } } } } },
    });
    expect(conditionsOf(status)).toEqual(activating);
  });
});

describe('the binding', () => {
  const bound = boundTo(record());
  const spec = bound.spec as { matchResources: object };

  test.each<[string, BindingRecord | undefined, Plan['binding']['do']]>([
    ['is kept as it is wanted', bound, 'keep'],
    ['is made where somebody deleted it', undefined, 'create'],
    [
      'is put right where its selector was changed',
      {
        ...bound,
        spec: {
          ...spec,
          matchResources: { ...spec.matchResources, objectSelector: { matchLabels: { a: 'b' } } },
        },
      },
      'replace',
    ],
    [
      'is put right where something was added to its spec',
      { ...bound, spec: { ...spec, more: 1 } },
      'replace',
    ],
    [
      'is put right where it belongs to a policy of the same name that is gone',
      boundTo(record(90, {}, { uid: 'u0' })),
      'replace',
    ],
    ['is put right where it belongs to nobody', { ...bound, ownerReferences: [] }, 'replace'],
    [
      'is put right where a second owner would keep it',
      { ...bound, ownerReferences: [...bound.ownerReferences, { uid: 'x' }] },
      'replace',
    ],
    ['is put right where our label is gone', { ...bound, labels: {} }, 'replace'],
    ['may have labels of others', { ...bound, labels: { ...bound.labels, team: 'platform' } }, 'keep'],
    ['may have been written again without a change', { ...bound, resourceVersion: '8' }, 'keep'],
  ])('%s', (_sentence, binding, expected) => {
    const { record: of } = settled();
    const next = plan(circumstances(of, { binding, now: after(60_000) }));
    expect(next.binding.do).toBe(expected);
    expect(conditionsOf(next.status)).toEqual(expected === 'keep' ? enforced : activating);
  });

  const noPods = { ...platformSpec(90, { nodes: { selector: {} } }), podSelector: undefined };
  test.each<[string, PolicyRecord, string]>([
    ['in Audit', record(90, { mode: 'Audit' }), 'Ready=True Audited'],
    [
      'without podSelector',
      record(90, {}, { policy: clusterPolicy('platform', { ...noPods }) }),
      'Ready=True NothingEnforced',
    ],
  ])('is not there %s', (_sentence, of, ready) => {
    const fresh = plan(circumstances(of, { now: after(60_000) }));
    expect(fresh.binding).toEqual({ do: 'keep' });
    const left = plan(circumstances(of, { binding: bound }));
    expect(left.binding).toEqual({ do: 'delete', present: bound });
    const again = plan(circumstances({ ...of, status: fresh.status }, { now: after(120_000) }));
    expect(conditionsOf(again.status)).toEqual([ready]);
  });

  test('is never there for a namespaced policy: one static binding serves them all', () => {
    const namespaced = record(90, {}, { kind: 'KeepalivePolicy', namespace: 'db', policy: team(90) });
    const { binding, status } = plan(circumstances(namespaced));
    expect(binding).toEqual({ do: 'keep' });
    expect(conditionsOf(status)).toEqual(activating);
  });

  test('needs no time to be away in Audit: that is Ready at once', () => {
    const { status, againAfterMs } = plan(circumstances(record(90, { mode: 'Audit' })));
    expect(conditionsOf(status)).toEqual(['Ready=True Audited']);
    expect(againAfterMs).toBeUndefined();
    expect(status.pods).toMatchObject({ selected: 2, declared: 1 });
  });
});

describe('an obstacle', () => {
  test('in the spec is Stalled, says the problems, and leaves no number that may be false', () => {
    const { status: old } = settled().record;
    const unreadable = record(
      90,
      {},
      {
        policy: undefined,
        problems: 'spec.path: Too small; spec.mode: Invalid option',
        generation: 2,
        status: old,
      },
    );
    const { binding, status, againAfterMs } = plan(
      circumstances(unreadable, { binding: boundTo(unreadable) }),
    );
    expect(binding).toEqual({ do: 'keep' });
    expect(againAfterMs).toBeUndefined();
    expect(Object.keys(status)).toEqual(['observedGeneration', 'conditions']);
    expect(conditionsOf(status)).toEqual(['Ready=False InvalidSpec', 'Stalled=True InvalidSpec']);
    expect(status.conditions?.[1]?.message).toBe(
      'the spec cannot be read: spec.path: Too small; spec.mode: Invalid option; correct it and apply it again',
    );
  });

  test('in a path that gives no values says what to declare', () => {
    const proxies = clusterPolicy('platform', platformSpec(90));
    const { status } = plan(circumstances(record(90, {}, { policy: { ...proxies, effective: undefined } })));
    expect(conditionsOf(status)).toEqual(['Ready=False InvalidSpec', 'Stalled=True InvalidSpec']);
    expect(status.conditions?.[1]?.message).toContain('declare at least one hop that follows packets');
  });

  test('in the installation is Stalled and names what is missing', () => {
    const missing = ['MutatingAdmissionPolicy a', 'MutatingAdmissionPolicyBinding b'];
    const { binding, status } = plan(circumstances(record(), { missingAdmission: missing }));
    expect(binding).toEqual({ do: 'keep' });
    expect(conditionsOf(status)).toEqual(['Ready=False AdmissionMissing', 'Stalled=True AdmissionMissing']);
    expect(status.conditions?.[1]?.message).toContain(
      'MutatingAdmissionPolicy a, MutatingAdmissionPolicyBinding b is not installed',
    );
    expect(status.effective).toMatchObject({ timeSeconds: 30 });
  });

  test('that was removed leads to Ready again, once the API server must have taken up what was missing', () => {
    const quiet = settled();
    const lost = plan({ ...quiet, missingAdmission: ['MutatingAdmissionPolicy a'] });
    const found = plan({ ...quiet, record: { ...quiet.record, status: lost.status } });
    expect(conditionsOf(found.status)).toEqual(['Ready=False Activating', 'Reconciling=True Activating']);
    const record = { ...quiet.record, status: found.status };
    expect(
      conditionsOf(plan({ ...quiet, record, now: new Date(quiet.now.getTime() + 60_000) }).status),
    ).toEqual(enforced);
  });

  test('of admission is none for a policy that admission does nothing for', () => {
    const audit = circumstances(record(90, { mode: 'Audit' }), {
      missingAdmission: ['MutatingAdmissionPolicy a'],
    });
    expect(conditionsOf(plan(audit).status)).toEqual(['Ready=True Audited']);
  });

  test('met while the binding is written is said, the numbers stay, and the next try activates anew', () => {
    const first = circumstances(record());
    const failed = setback(first, plan(first), 'the API server said no');
    expect(conditionsOf(failed)).toEqual(['Ready=False BindingFailed', 'Reconciling=True BindingFailed']);
    expect(failed.conditions?.[1]?.message).toBe('the API server said no');
    expect(failed).toMatchObject({
      observedGeneration: 1,
      effective: { timeSeconds: 30 },
      pods: { selected: 2 },
    });
    const retry = plan(circumstances(record(90, {}, { status: failed }), { now: after(60_000) }));
    expect(retry.binding.do).toBe('create');
    expect(retry.againAfterMs).toBe(activationMs);
    expect(retry.status.conditions?.[1]).toMatchObject({
      reason: 'Activating',
      lastTransitionTime: '2026-05-04T10:01:00Z',
    });
  });
});

describe('what the manifests install', () => {
  const all = {
    policies: new Set(['keepalivepolicy.keepalive.dev', 'clusterkeepalivepolicy.keepalive.dev']),
    bindings: new Set(['keepalivepolicy.keepalive.dev']),
  };
  const none = { policies: new Set<string>(), bindings: new Set<string>() };

  test('is complete where all is there', () => {
    expect(missingAdmission('KeepalivePolicy', all)).toEqual([]);
    expect(missingAdmission('ClusterKeepalivePolicy', all)).toEqual([]);
  });

  test('is missed by each kind as far as it needs it', () => {
    expect(missingAdmission('KeepalivePolicy', none)).toEqual([
      'MutatingAdmissionPolicy keepalivepolicy.keepalive.dev',
      'MutatingAdmissionPolicyBinding keepalivepolicy.keepalive.dev',
    ]);
    expect(missingAdmission('ClusterKeepalivePolicy', none)).toEqual([
      'MutatingAdmissionPolicy clusterkeepalivepolicy.keepalive.dev',
    ]);
    expect(missingAdmission('KeepalivePolicy', { ...all, bindings: new Set() })).toEqual([
      'MutatingAdmissionPolicyBinding keepalivepolicy.keepalive.dev',
    ]);
  });
});
