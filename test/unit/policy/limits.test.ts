import { describe, expect, test } from '@jest/globals';

import { defaultSettings } from '../../../src/api/settings.ts';
import { beyondLimits, inExcess } from '../../../src/policy/limits.ts';
import { limitRefusals } from '../../../src/policy/limits-admission.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { platform, team, teamSpec } from '../../support/builder.ts';
import { limitCases } from '../../support/limit-cases.ts';

test.each(limitCases)('$what', ({ settings, spec, beyond }) => {
  const said = beyondLimits(teamSpec(90, spec), { ...defaultSettings, ...settings });
  if (beyond === undefined) expect(said).toBeUndefined();
  else expect(said).toContain(beyond);
});

describe('the number of policies in a namespace', () => {
  const record = (name: string, createdAt: string, namespace = 'db'): PolicyRecord => ({
    ...{ kind: 'KeepalivePolicy', namespace, name, uid: name, generation: 1, createdAt },
    ...{ policy: team(90, {}, name, namespace), problems: undefined, status: {} },
  });
  const morning = '2026-05-04T08:00:00Z';
  const noon = '2026-05-04T12:00:00Z';
  const named = (records: PolicyRecord[], policiesPerNamespace: number) =>
    [...inExcess(records, { ...defaultSettings, policiesPerNamespace })].map(({ name }) => name);

  test('leaves the oldest, in whatever order they come', () => {
    const all = [record('b', noon), record('z', morning), record('a', noon)];
    expect(named(all, 2)).toEqual(['b']);
    expect(named(all.reverse(), 2)).toEqual(['b']);
    expect(named(all, 3)).toEqual([]);
    expect(named(all, 0)).toEqual(['z', 'a', 'b']);
  });

  test('is counted namespace by namespace', () => {
    expect(named([record('a', morning), record('b', morning, 'web')], 1)).toEqual([]);
  });

  test('counts one that cannot be read, and none that only audits less', () => {
    const unreadable = { ...record('a', morning), policy: undefined, problems: 'spec.path: expected array' };
    const audited = { ...record('b', noon), policy: team(90, { mode: 'Audit' }, 'b') };
    expect(named([unreadable, audited, record('c', '2026-05-04T13:00:00Z')], 2)).toEqual(['c']);
  });

  test('does not concern cluster policies', () => {
    const cluster: PolicyRecord = {
      ...record('p', noon, ''),
      ...{ kind: 'ClusterKeepalivePolicy', policy: platform(90) },
    };
    expect(named([cluster, { ...cluster, name: 'q' }], 1)).toEqual([]);
  });
});

test.each(limitCases.map((one) => [one.what, one] as const))(
  'refused, as kubectl apply is: %s',
  (_what, { settings, spec, beyond }) => {
    const said = limitRefusals(teamSpec(90, spec), { ...defaultSettings, ...settings }).map(
      ({ message }) => message,
    );
    expect(said.join('\n')).toContain(beyond ?? '');
    expect(said).toHaveLength(beyond === undefined ? 0 : 1);
  },
);
