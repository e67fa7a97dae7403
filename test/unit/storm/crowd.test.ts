import { describe, expect, test } from '@jest/globals';

import { platformPolicy, podObject, podPlan } from '../../storm/crowd.ts';

const size = { nodes: 500, pods: 15_000, clusterPolicies: 100, teams: 1000 };
const plans = Array.from({ length: size.pods }, (_, index) => podPlan(index, size));

describe('the crowd of a storm', () => {
  test('has pods of nearly as many teams on a node as it has pods there, and a team on as many nodes', () => {
    for (const [mine, others] of [
      ['node', 'namespace'],
      ['namespace', 'node'],
    ] as const)
      for (const pods of Map.groupBy(plans, (plan) => plan[mine]).values())
        expect(new Set(pods.map((plan) => plan[others])).size).toBeGreaterThanOrEqual(0.6 * pods.length);
  });

  test('fills every node, and is the same every time', () => {
    expect(new Set(plans.map(({ node }) => node)).size).toBe(size.nodes);
    expect(plans[4711]).toEqual(podPlan(4711, size));
  });

  test('has no tier that no policy selects', () => {
    const tiers = new Set(plans.map((plan) => podObject(plan).metadata.labels?.tier));
    const policies = Array.from({ length: size.clusterPolicies }, (_, index) => platformPolicy(index).spec);
    const selected = policies.flatMap(
      (spec) =>
        (spec as { podSelector: { matchLabels?: { tier: string } } }).podSelector.matchLabels?.tier ?? [],
    );
    expect(tiers.size).toBe(10);
    expect(new Set(selected)).toEqual(tiers);
  });
});
