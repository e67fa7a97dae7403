import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { Cluster } from '../cluster/cluster.ts';
import type { PolicyName } from '../e2e/shared.ts';
import { Bench, condition, kap, sleeper } from '../e2e/shared.ts';

/** A cluster of its own: its agents lose a right, and minutes pass until they are not believed. */
let cluster: Cluster;
let bench: Bench;
const team: PolicyName = { kind: 'kap', name: 'team', namespace: 'default' };

beforeAll(async () => {
  cluster = await Cluster.up({ name: 'e2e-refused', nodes: 2, owned: true });
  bench = new Bench(cluster);
  await cluster.install();
});
afterAll(() => cluster.down());

const covered = (is: string, reason: string) => (status: PolicyStatus) => {
  const { status: now, reason: why } = condition(status, 'Covered') ?? {};
  return now === is && why === reason;
};

interface ClusterRole {
  readonly rules: readonly { readonly resources: readonly string[] }[];
}

test('agents whose reports are refused are not believed after a minute, and are again once they are taken', async () => {
  await bench.start(...['n1', 'n2'].map((nodeName) => sleeper(nodeName, 'default', { spec: { nodeName } })));
  await bench.apply(kap('default', 'team', 90));
  await bench.status(team, covered('True', 'AllCovered'), 90_000);
  const { rules } = await bench.json<ClusterRole>('clusterrole', 'keepalive-agent');
  const allow = (some: ClusterRole['rules']) =>
    cluster.kubectl(
      ...['patch', 'clusterrole', 'keepalive-agent', '--type=merge', '-p', JSON.stringify({ rules: some })],
    );
  await allow(rules.filter(({ resources }) => !resources.includes('nodekeepalives/status')));
  // There is something to tell of each node, and nothing of that policy.
  await bench.apply(kap('default', 'another', 300));
  const alone = await bench.status(team, covered('Unknown', 'NoAgent'), 150_000);
  expect(condition(alone, 'Ready')?.status).toBe('True');
  await allow(rules);
  await bench.status(team, covered('True', 'AllCovered'), 90_000);
}, 400_000);
