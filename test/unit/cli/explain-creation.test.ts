import { describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../../src/api/status.ts';
import { explainPod } from '../../../src/cli/explain-pod.ts';
import type { Standing } from '../../../src/cli/explanation.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import type { PodSketch } from '../../support/builder.ts';
import { sysctls, team } from '../../support/builder.ts';
import { covered, factsOf, inForce, nat, recordOf, reportOn, statementsOf } from './explained.ts';

describe('what became of it at its creation', () => {
  const noted = (requirement: string, own?: string) => ({
    'keepalive.dev/requirement': requirement,
    ...(own === undefined ? {} : { 'keepalive.dev/own-values': own }),
  });
  test.each<[string, PodSketch, string]>([
    [
      'is quoted from the notes of admission',
      { sysctls: sysctls(), annotations: noted('90/30/10/-', '600/-/-') },
      'fine: admission put the values into it, where its spec said 600/-/- (time/interval/probes) (what it noted: behind 90 s asks for 30/10/6)',
    ],
    [
      'is nothing where its own values were enough',
      { sysctls: sysctls(20, 5, 3), annotations: noted('90/30/10/-') },
      'fine: admission found its own values to be enough (what it noted: behind 90 s asks for 30/10/6)',
    ],
    [
      'cannot be told of a value that only the kernel can read',
      { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '0x1e' }] },
      'unknown: what its spec starts it with: a keepalive sysctl of it is no plain whole number, which is left to the kernel',
    ],
    [
      'is nothing where it is for Windows',
      { spec: { os: { name: 'windows' } } },
      'note: admission leaves it as it is (Windows): Windows has no such sysctls: set KeepAliveTime in the registry of its nodes',
    ],
  ])('%s', (_sentence, pod, statement) => {
    expect(statementsOf(explainPod(factsOf({ ...covered, pod })))).toContain(statement);
  });

  describe('is nothing for a pod', () => {
    const since = (lastTransitionTime: string): PolicyStatus => ({
      conditions: inForce.conditions?.map((condition) => ({ ...condition, lastTransitionTime })) ?? [],
    });
    const [older, lookedAway] = [
      'note: admission has not changed it: it is older than the policies that act on it',
      'note: admission has not changed it: it looked away (the API server had just started, something refused pods, or the labels of the pod are newer than it is)',
    ];
    const audited = recordOf(team(90, { mode: 'Audit' }, 'audited'), since('2025-01-01T00:00:00Z'));
    const enforced = recordOf(nat, since('2026-01-01T00:00:00Z'));
    test.each<[string, PolicyRecord[], number, string]>([
      ['that is older than the policy', [enforced], Date.UTC(2025, 6), older],
      ['that is younger than the policy', [enforced], Date.UTC(2026, 6), lookedAway],
      [
        'that is older than the policy that acts, and younger than one that only audits',
        [audited, enforced],
        Date.UTC(2025, 6),
        older,
      ],
    ])('%s', (_sentence, policies, createdAtMs, statement) => {
      const facts = factsOf({ ...covered, policies });
      expect(statementsOf(explainPod({ ...facts, pod: { ...facts.pod, createdAtMs } }))).toContain(statement);
    });
  });

  describe.each<[how: string, live: number, standing: Standing, mark: string]>([
    ['a note where its kernel holds enough all the same', 1, 'Covered', 'note'],
    ['wrong where it does not', 0, 'NotCovered', 'wrong'],
  ])('is %s', (_how, live, standing, mark) => {
    const report = { policies: [reportOn(nat, { live })] };

    test('where something refuses pods with the values', () => {
      const refusals = [
        {
          ...{ namespace: 'db', admission: 'Withheld' as const, times: 1, by: 'webhook w' },
          ...{ message: 'no sysctls', since: '2026-01-01T00:00:00Z', refusedAt: '2026-01-01T00:00:00Z' },
        },
      ];
      const policies = [recordOf(nat, { ...inForce, refusals })];
      const explanation = explainPod(factsOf({ ...covered, report, policies }));
      expect(explanation.standing).toBe(standing);
      expect(statementsOf(explanation)).toContain(
        `${mark}: webhook w refuses pods with the values in namespace db ("no sysctls"), so admission leaves new ones as they are for KeepalivePolicy team`,
      );
      expect(explanation.todo).toEqual(['have webhook w allow the three sysctls net.ipv4.tcp_keepalive_*']);
    });

    test('where admission leaves pods of its kind as they are', () => {
      const pod = { annotations: { 'kubernetes.io/config.mirror': 'x' } };
      const explanation = explainPod(factsOf({ ...covered, report, pod }));
      expect(explanation.standing).toBe(standing);
      expect(statementsOf(explanation)).toContainEqual(
        expect.stringMatching(`^${mark}: admission leaves it as it is \\(StaticPod\\)`),
      );
      expect(explanation.todo).toEqual([expect.stringContaining('StaticPod: ')]);
    });
  });
});
