import { describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { explainPod } from '../../../src/cli/explain-pod.ts';
import type { Standing } from '../../../src/cli/explanation.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { platform, team } from '../../support/builder.ts';
import { factsOf, finding, recordOf, reportOn, statementsOf } from './explained.ts';

const ofNodes = platform(60, { podSelector: undefined, nodes: { selector: {} } });
const audited = platform(60, { podSelector: undefined, nodes: { selector: {} }, mode: 'Audit' });
const ofBoth = platform(60, { nodes: { selector: {} } });
const now = { timeSeconds: 7200, intervalSeconds: 75, probes: 9 };
const ofNode = (reason: string) => ({ reason, node: 'n1', message: `${reason} it is` });
const live: Partial<NodePolicyReport> = { selected: 0, live: 0, host: 'Live' };
const notLive = (reason: string): Partial<NodePolicyReport> => ({
  ...{ selected: 0, live: 0, host: 'NotLive', findings: [ofNode(reason)], findingsTotal: 1 },
});

describe("a pod of its node's own network", () => {
  const explained = (policies: readonly [EffectivePolicy, Partial<NodePolicyReport>][]) =>
    explainPod(
      factsOf({
        pod: { spec: { hostNetwork: true } },
        policies: policies.map(([policy]) => recordOf(policy)),
        report: { host: { now }, policies: policies.map(([policy, said]) => reportOn(policy, said)) },
      }),
    );

  test.each<[string, readonly [EffectivePolicy, Partial<NodePolicyReport>][], Standing, string]>([
    [
      'is covered where that of its node is enough',
      [[ofNodes, live]],
      'Covered',
      'fine: that is enough for ClusterKeepalivePolicy platform',
    ],
    [
      'is not where the values of its node cannot be written',
      [[ofNodes, notLive('WriteRefused')]],
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: WriteRefused: WriteRefused it is',
    ],
    [
      'is not where its node is only audited',
      [[audited, notLive('NotEnforced')]],
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: NotEnforced: NotEnforced it is',
    ],
    [
      'is not where something sets the values of its node back',
      [[ofNodes, notLive('Overridden')]],
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: that is not enough',
    ],
    [
      'is not where its node is not, and nothing says why',
      [[ofNodes, { selected: 0, live: 0, host: 'NotLive' }]],
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: that is not enough',
    ],
    [
      'is unknown where the report does not speak of its node',
      [[ofNodes, { selected: 0, live: 0 }]],
      'Unknown',
      'unknown: whether that is enough for ClusterKeepalivePolicy platform: the report of n1 does not say',
    ],
    [
      'is judged by its node where the policy selects other pods there too',
      [[ofBoth, { ...notLive('WriteRefused'), selected: 3, live: 3 }]],
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: WriteRefused: WriteRefused it is',
    ],
    [
      'is covered where another pod there is not',
      [
        [
          ofBoth,
          { selected: 2, live: 1, host: 'Live', findings: [finding('NotLive', 'other')], findingsTotal: 1 },
        ],
      ],
      'Covered',
      'fine: that is enough for ClusterKeepalivePolicy platform',
    ],
  ])('%s', (_sentence, policies, standing, statement) => {
    const explanation = explained(policies);
    expect(statementsOf(explanation)).toContain(statement);
    expect(explanation.standing).toBe(standing);
  });

  test('is not told to have its node selected where a policy selects it', () => {
    const { parts, todo } = explained([[ofNodes, live]]);
    expect(parts.creation?.[0]).toEqual({
      is: 'note',
      text: "admission leaves it as it is (HostNetwork): it uses its node's own network, which ClusterKeepalivePolicy platform selects",
    });
    expect(todo).toEqual([]);
  });

  test('is told so where only its labels are selected', () => {
    const left = { live: 0, findings: [finding('HostNetwork')], findingsTotal: 1 };
    expect(explained([[team(90), left]]).todo).toEqual([
      expect.stringContaining('select the node in a ClusterKeepalivePolicy'),
    ]);
  });

  test('of which no pod is counted yet is not covered by that', () => {
    const explanation = explained([[team(90), { selected: 0, live: 0 }]]);
    expect(explanation.standing).toBe('Unknown');
  });
});
