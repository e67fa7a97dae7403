import { describe, expect, test } from '@jest/globals';

import type { Settings } from '../../../src/api/settings.ts';
import { readSettings } from '../../../src/api/settings.ts';
import { plan } from '../../../src/policy/plan.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import { thoseThatMayAct } from '../../../src/policy/withheld.ts';
import { nodePodOf, team } from '../../support/builder.ts';
import { after, applied, circumstances, conditionsOf, record } from './plan-rig.ts';

const under = (settings: Partial<Settings>) => {
  const reading = readSettings({});
  return { ...reading, settings: { ...reading.settings, ...settings } };
};
const ofTeam = (seconds: number, spec: Parameters<typeof team>[1] = {}): PolicyRecord => ({
  ...{ kind: 'KeepalivePolicy', namespace: 'db', name: 'team', uid: 'u2', generation: 1 },
  ...{ policy: team(seconds, spec), problems: undefined, status: {} },
});
/** What the agent of a node wants in the one pod there is. */
const onNode = (of: PolicyRecord, settings: Partial<Settings>) => {
  const { pods } = selectOnNode({
    node: undefined,
    pods: [nodePodOf()],
    namespaces: new Map(),
    policies: thoseThatMayAct([of], under(settings).settings),
  });
  return { by: pods[0]?.by.length, wanted: pods[0]?.wanted.asked, sockets: pods[0]?.sockets };
};
const nobody = { by: 0, wanted: undefined, sockets: undefined };
const onlyReported = { by: 1, wanted: undefined, sockets: undefined };

describe('a policy that asks for less than its cluster allows', () => {
  const short = ofTeam(9);

  test('is told so, and neither admission nor an agent acts for it', () => {
    const { status, binding } = plan(circumstances(short, { settings: under({}) }));
    expect(conditionsOf(status)).toEqual(['Ready=False BeyondLimits', 'Stalled=True BeyondLimits']);
    expect(status).toMatchObject({ admission: 'Withheld', effective: { idleTimeoutSeconds: 9 } });
    expect(status.conditions?.[0]?.message).toBe(
      'Nothing is done for it: it declares nat (9 s), and ConfigMap keepalive-settings (smallestIdleTimeoutSeconds) ' +
        'allows no less than 10 s. Declare a longer one, or ask whoever administers the cluster',
    );
    expect(binding).toEqual({ do: 'keep' });
    expect(onNode(short, {})).toEqual(nobody);
  });

  test('acts once the limit is lowered: Activating first, since the API server has to hear of it', () => {
    const { status } = plan(circumstances(short, { settings: under({}) }));
    const lower = under({ smallestIdleTimeoutSeconds: 9 });
    const next = plan(circumstances({ ...short, status }, { settings: lower, now: after(1000) }));
    expect(conditionsOf(next.status)[0]).toBe('Ready=False Activating');
    expect(next.status).not.toHaveProperty('admission');
    expect(onNode(short, { smallestIdleTimeoutSeconds: 9 }).wanted).toBeDefined();
  });

  test('of the cluster is bounded by nothing: only administrators write it', () => {
    expect(conditionsOf(plan(circumstances(record(9), { settings: under({}) })).status)[0]).toBe(
      'Ready=False Activating',
    );
  });
});

test('one policy too many is told so, and nobody looks at it', () => {
  const { status } = plan(
    circumstances(ofTeam(90), { settings: under({ policiesPerNamespace: 2 }), inExcess: true }),
  );
  expect(conditionsOf(status)).toEqual(['Ready=False TooManyPolicies', 'Stalled=True TooManyPolicies']);
  expect(status).toMatchObject({ admission: 'Withheld' });
  expect(status.conditions?.[0]?.message).toContain('namespace db has 2 older ones');
  expect(onNode(ofTeam(90), { policiesPerNamespace: 0 })).toEqual(nobody);
});

describe('what may not act does not begin to once its spec cannot be read', () => {
  const unread = (before: PolicyRecord, inExcess = false) => {
    const rest = { settings: under({ smallestIntervalSeconds: 5 }), inExcess };
    const { status } = plan(circumstances(before, rest));
    const now = {
      ...before,
      status,
      policy: undefined,
      problems: 'spec.mode: Invalid option',
      isNewer: true,
    };
    return plan(circumstances(now, rest)).status;
  };

  test('one too many', () => {
    const status = unread(ofTeam(90), true);
    expect(conditionsOf(status)[0]).toBe('Ready=False TooManyPolicies');
    expect(status).toMatchObject({ admission: 'Withheld', effective: { idleTimeoutSeconds: 90 } });
  });

  test.each([
    ['a timeout below the limit', ofTeam(9)],
    ['an interval below the limit', ofTeam(90, { keepalive: { intervalSeconds: 1 } })],
  ])('%s', (_sentence, before) => {
    const status = unread(before);
    expect(status).toMatchObject({ admission: 'Withheld' });
    expect(status.conditions?.[0]).toMatchObject({ reason: 'NotUnderstood' });
    expect(status.conditions?.[0]?.message).toMatch(/until then nothing acts$/);
  });

  test('and what acted goes on', () => {
    expect(unread(ofTeam(90))).not.toHaveProperty('admission');
  });

  test('of the cluster nothing is beyond limits', () => {
    expect(unread(record(9))).not.toHaveProperty('admission');
  });
});

test('where none is allowed, nobody is told to delete one', () => {
  const settings = under({ policiesPerNamespace: 0 });
  const { status } = plan(circumstances(ofTeam(90), { settings, inExcess: true }));
  expect(status.conditions?.[0]?.message).toContain(
    '(policiesPerNamespace: 0) allows none in any namespace. Ask',
  );
});

test('where namespaced policies may only observe, one that would repair sets values and counts connections', () => {
  const settings = under({ openConnections: 'Observe' });
  const { status } = plan(circumstances(ofTeam(90), { settings }));
  expect(status.findings?.[0]?.reason).toBe('RepairNotAllowed');
  expect(status).not.toHaveProperty('admission');
  const { wanted, sockets } = onNode(ofTeam(90), { openConnections: 'Observe' });
  expect([wanted?.idleTimeoutSeconds, sockets]).toEqual([90, undefined]);
  const observing = ofTeam(90, { openConnections: 'Observe' });
  expect(plan(circumstances(observing, { settings, neighbourhoods: [] })).status.findings).toBeUndefined();
});

describe('the switch', () => {
  const off = { settings: under({ acting: 'Audit' }) };

  test.each([
    ['Audit', 'Nothing is changed for any policy, and what it set before stays'],
    [
      'AuditAndRestore',
      'Nothing is changed for any policy, and what agents set in running pods and nodes goes back',
    ],
  ] as const)('%s makes a policy say who threw it, and act no more', (acting, words) => {
    const { status, verdict } = plan(circumstances(record(), { settings: under({ acting }) }));
    expect(conditionsOf(status)).toEqual(['Ready=True SwitchedOff']);
    expect(verdict.message).toContain(words);
    expect(verdict.message).toContain(`ConfigMap keepalive-settings (acting: ${acting})`);
    expect(status).toMatchObject({ admission: 'Withheld', pods: { selected: 2 } });
    expect(onNode(ofTeam(90), { acting })).toEqual(onlyReported);
  });

  test('leaves the binding of a cluster policy where it is', () => {
    const first = plan(circumstances(record()));
    const binding = applied(first, undefined);
    expect(
      plan(circumstances(record(90, {}, { status: first.status }), { ...off, binding })).binding,
    ).toEqual({ do: 'keep' });
  });

  test('does not concern a policy that only audits', () => {
    const audits = ofTeam(90, { mode: 'Audit' });
    const { status } = plan(circumstances(audits, off));
    expect(conditionsOf(status)).toEqual(['Ready=True Audited']);
    expect(status).not.toHaveProperty('admission');
  });

  test('thrown back makes it act again: Activating, then Enforced', () => {
    const binding = applied(plan(circumstances(record())), undefined);
    const stopped = plan(circumstances(record(), { ...off, binding }));
    const again = plan(
      circumstances(record(90, {}, { status: stopped.status }), { binding, now: after(10_000) }),
    );
    expect(conditionsOf(again.status)[0]).toBe('Ready=False Activating');
    expect(again.status).not.toHaveProperty('admission');
    const then = plan(
      circumstances(record(90, {}, { status: again.status }), { binding, activatingForMs: 3000 }),
    );
    expect(conditionsOf(then.status)).toEqual(['Ready=True Enforced']);
  });

  test('says what would be set by whom, since the mode of the policy is not what keeps it', () => {
    const { status } = plan(circumstances(record(), off));
    expect(status.findings?.[0]?.message).toContain(
      'the operator, switched on again, would start it with 30/10/6',
    );
  });
});

test('settings that cannot be read are a finding of every policy that acts', () => {
  const settings = readSettings({ policiesPerNamespace: 'many' });
  const { findings } = plan(circumstances(record(), { settings })).status;
  expect(findings?.[0]).toMatchObject({ reason: 'SettingsUnreadable' });
  expect(findings?.[0]?.message).toContain('ConfigMap keepalive-settings: policiesPerNamespace: expected');
});
