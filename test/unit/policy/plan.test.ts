import { describe, expect, test } from '@jest/globals';

import type { BindingRecord } from '../../../src/policy/binding-step.ts';
import type { Plan } from '../../../src/policy/plan.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { activationMs } from '../../../src/policy/evidence.ts';
import { plan } from '../../../src/policy/plan.ts';
import { clusterPolicy } from '../../../src/policy/policy.ts';
import { platformSpec, team } from '../../support/builder.ts';
import {
  activating,
  after,
  applied,
  boundTo,
  circumstances,
  conditionsOf,
  enforced,
  record,
  settled,
} from './plan-rig.ts';

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
        ...{ binding: applied(first, undefined), now: after(2000), activatingForMs: 1999.5 },
      }),
    );
    expect(soon.binding).toEqual({ do: 'keep' });
    expect(soon.status).toEqual(first.status);
    expect([soon.activation, soon.againAfterMs]).toEqual(['goes on', 1000.5]);
  });

  test.each([
    ['back', -600_000],
    ['forward', 600_000],
  ])('takes three seconds, where nothing can be seen, when the clock steps %s', (_way, stepMs) => {
    const first = plan(circumstances(record()));
    const later = (activatingForMs: number) =>
      plan(
        circumstances(record(90, {}, { status: first.status }), {
          ...{ binding: applied(first, undefined), now: after(stepMs), activatingForMs },
        }),
      );
    expect(conditionsOf(later(2999).status)).toEqual(activating);
    expect(conditionsOf(later(3000).status)).toEqual(enforced);
  });

  test('begins anew in another process, which cannot know when it began', () => {
    const first = plan(circumstances(record()));
    const { status, activation, againAfterMs } = plan(
      circumstances(record(90, {}, { status: first.status }), {
        ...{ binding: applied(first, undefined), now: after(86_400_000) },
      }),
    );
    expect(status).toEqual(first.status);
    expect([activation, againAfterMs]).toEqual(['begins', activationMs]);
  });

  test('is Ready once the API server was seen to act by it, after whatever time', () => {
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
    // What was seen before says nothing of it: whoever asks will tell.
    expect([next.activation, next.againAfterMs]).toEqual(['begins', undefined]);
  });

  test('while another is under way begins a transition of its own', () => {
    const first = plan(circumstances(record()));
    const second = plan(
      circumstances(record(60, {}, { generation: 2, status: first.status }), { now: after(2000) }),
    );
    const timesOf = ({ status }: Plan) =>
      status.conditions
        ?.filter(({ type }) => type !== 'Covered')
        .map((condition) => condition.lastTransitionTime);
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
      'is ours still where a newer API server fills in a field that this version does not know',
      {
        ...bound,
        spec: { ...spec, matchResources: { ...spec.matchResources, strictness: 'Loose' }, more: 1 },
      },
      'keep',
    ],
    [
      'is put right where a rule that excludes pods was added',
      {
        ...bound,
        spec: {
          ...spec,
          matchResources: { ...spec.matchResources, excludeResourceRules: [{ resources: ['pods'] }] },
        },
      },
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
