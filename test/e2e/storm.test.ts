import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { platformTarget, teamTarget } from '../storm/crowd.ts';
import { Stage } from '../storm/stage.ts';
import { each } from '../bench/api.ts';

/** An API server of its own, so that nobody else's pods are in the count, nor these in theirs. */
let stage: Stage;
const size = { nodes: 200, pods: 6_000, clusterPolicies: 20, teams: 40, full: 8 };
const all = [
  ...Array.from({ length: size.clusterPolicies }, (_, index) => platformTarget(index)),
  ...Array.from({ length: size.teams }, (_, index) => teamTarget(index)),
];

beforeAll(async () => {
  stage = await Stage.up('e2e-storm', size);
  stage.startController();
});
afterAll(() => stage.down());

test('every status is what a plain count of everything gives', async () => {
  await stage.untilRight(90_000);
  expect(stage.statuses.count).toBe(all.length);
});

// Nothing that brings about a look at a policy comes after the storm: whichever was forgotten in it stays wrong.
test('it is so again after a storm: a policy of all is edited, pods and connections come and go, namespaces are relabelled', async () => {
  const storm = stage.storm({ steps: 600, perSecond: 60 });
  await stage.edit(platformTarget(2), 300);
  await stage.relabel(1);
  await stage.relabel(2);
  await storm;
  await stage.untilRight(150_000);
});

test('and after one in which the controller is killed, and each policy is edited once another leads', async () => {
  const storm = stage.storm({ steps: 300, perSecond: 60 });
  await stage.stopController('SIGKILL');
  stage.startController();
  await stage.relabel(1);
  await storm;
  await stage.untilRight(120_000);
  await each(all, 8, (policy) => stage.edit(policy, 120));
  await stage.untilRight(120_000);
});
