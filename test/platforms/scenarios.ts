import { expect } from '@jest/globals';

import type { Cluster } from '../cluster/cluster.ts';
import { perform } from '../scenario/perform.ts';
import { shortcomings } from '../scenario/result.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** A scenario with its clients on this node, one connection of each kind: to start a program takes long there. */
export async function play(scenario: Scenario, cluster: Cluster, node: string, patience: number) {
  const once: Scenario = {
    ...scenario,
    build: async (stage) => {
      const course = await scenario.build(stage);
      return { ...course, ways: course.ways.map((way) => ({ ...way, connections: 1 })) };
    },
  };
  expect(shortcomings(await perform(once, cluster, { node, patience }))).toEqual([]);
}
