import { describe, expect, test } from '@jest/globals';

import type { PodView } from '../../../src/policy/pod.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { noAgents } from '../../../src/policy/rollup.ts';
import { assessed } from '../../support/assessed.ts';
import { namespace, platform, pod, sysctls, team } from '../../support/builder.ts';

const policy = team(90);
const look = (pods: PodView[], of: EffectivePolicy, others: EffectivePolicy[]) =>
  assessed(of, {
    generation: 1,
    neighbourhoods: [{ namespace: namespace(), pods }],
    others: [of, ...others],
    facts: noAgents,
  });

describe('two policies on one pod', () => {
  const stricter = team(30, { podSelector: { matchLabels: { app: 'mongo' } } }, 'stricter');
  const pods = [
    pod({ labels: { app: 'mongo' }, sysctls: sysctls(10, 3, 6) }),
    pod({ name: 'web', sysctls: sysctls() }),
  ];

  test('the looser one names the one that binds, and on how many pods', () => {
    expect(look(pods, policy, [stricter]).findings).toEqual([
      {
        reason: 'StricterPolicy',
        policy: 'KeepalivePolicy db/stricter',
        message: 'KeepalivePolicy db/stricter (10/4/6) is stricter and binds on 1 of the selected pods',
      },
    ]);
  });

  test('one of a longer timeout that declares a shorter time binds together with it', () => {
    const eager = team(350, { keepalive: { timeSeconds: 20 } }, 'eager');
    const message =
      'KeepalivePolicy db/eager (20/55/6) is stricter in part: both together give 20/10/7, on 2 of the selected pods';
    expect(look(pods, policy, [eager]).findings.map((finding) => finding.message)).toEqual([message]);
  });

  test('one of a longer timeout that declares a longer time or interval binds on none', () => {
    const patient = team(900, { keepalive: { timeSeconds: 75, intervalSeconds: 60 } }, 'patient');
    expect(look(pods, policy, [patient]).findings).toEqual([]);
  });

  test.each([
    [900, { probes: 9 }],
    [350, { probes: 7 }],
  ] as const)(
    'one behind %d s that declares %o asks for more probes, and for nothing stricter',
    (seconds, keepalive) => {
      const patient = team(seconds, { keepalive }, 'patient');
      expect(look(pods, policy, [patient]).findings).toEqual([]);
    },
  );

  test('one that declares fewer probes binds together with it', () => {
    const hasty = team(900, { keepalive: { probes: 2 } }, 'hasty');
    expect(look(pods, policy, [hasty]).findings[0]?.message).toContain('both together give 30/10/2');
  });

  test('a pod that is left as it is does not count: nobody binds on it', () => {
    const left = pod({ name: 'host', labels: { app: 'mongo' }, spec: { hostNetwork: true } });
    expect(look([left], policy, [stricter]).findings.map(({ reason }) => reason)).toEqual(['HostNetwork']);
  });

  test('the stricter one has nothing to say', () => {
    expect(look(pods, stricter, [policy]).findings).toEqual([]);
  });

  test.each<[string, EffectivePolicy]>([
    ['one that only audits', team(30, { mode: 'Audit' }, 'audit')],
    ['one of another namespace', team(30, {}, 'elsewhere', 'web')],
    ['one that selects other pods', team(30, { podSelector: { matchLabels: { app: 'x' } } }, 'others')],
    ['one with the same values', team(90, {}, 'same')],
    [
      'a cluster policy of other namespaces',
      platform(30, { namespaceSelector: { matchLabels: { a: 'b' } } }),
    ],
  ])('%s does not bind', (_sentence, other) => {
    expect(look(pods, policy, [other]).findings).toEqual([]);
  });

  test('a cluster policy may bind', () => {
    expect(look(pods, policy, [platform(30)]).findings[0]?.policy).toBe('ClusterKeepalivePolicy platform');
  });
});
