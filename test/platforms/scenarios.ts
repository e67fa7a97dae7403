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
  const failed = shortcomings(await perform(once, cluster, { node, patience }));
  // A stream into a pod that broke has its reason on that node, which is gone when somebody reads of it.
  const said = failed.some((line) => line.includes('kubectl exec')) ? await lastSaid(cluster, node) : [];
  expect([...failed, ...said]).toEqual([]);
}

/** By the node's kubelet and runtime; of one that has no journal, nothing. */
async function lastSaid(cluster: Cluster, node: string): Promise<string[]> {
  const units = ['kubelet', 'crio', 'containerd'].map((unit) => `-u ${unit}`).join(' ');
  const ask = `journalctl --since=-5min -o short-iso ${units} 2> /dev/null | grep -iE 'exec|stream|attach|error' | tail -n 40; true`;
  return (await cluster.onNode(node, ask)).trim().split('\n');
}
