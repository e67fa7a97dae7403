import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { Bench, ckap, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-virtual';
const linux = { 'kubernetes.io/os': 'linux' };
/** Nobody runs there: what is asked is whether anything of ours is wanted there. */
const virtual: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'fargate-1': { ...linux, 'eks.amazonaws.com/compute-type': 'fargate' },
  'fargate-2': { ...linux, 'eks.amazonaws.com/compute-type': 'fargate' },
  'virtual-node-aci-linux': { ...linux, type: 'virtual-kubelet' },
  'windows-1': { 'kubernetes.io/os': 'windows' },
};
const names = Object.keys(virtual);

beforeAll(async () => {
  await bench.namespace(namespace);
  const nodes = Object.entries(virtual).map(([name, labels]) => ({
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } },
  }));
  await bench.apply(...nodes);
});
afterAll(async () => {
  await bench.cluster.kubectl('delete', 'node', ...names);
  await bench.cluster.kubectl('delete', 'ckap', 'virtual', '--ignore-not-found');
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
});

test('nodes that no DaemonSet can serve get no pod of it, and do not hold up its rollout', async () => {
  const daemonSet = ['-n', 'keepalive-agent', 'daemonset/keepalive-agent'];
  await bench.cluster.kubectl('rollout', 'restart', ...daemonSet);
  await bench.cluster.kubectl('rollout', 'status', ...daemonSet, '--timeout=120s');
  const pods = await bench.cluster.kubectl(
    ...['get', 'pods', '-n', 'keepalive-agent', '-o', 'jsonpath={.items[*].spec.nodeName}'],
  );
  expect(pods.split(' ').sort()).toEqual(['n1', 'n2', 'n3']);
});

test('they are one finding with a count, for policies of pods and of nodes', async () => {
  await bench.apply(
    kap(namespace, 'team', 90),
    ckap('virtual', 90, { podSelector: undefined, nodes: { selector: {} } }),
    ...names.map((nodeName) => sleeper(`on-${nodeName}`, namespace, { spec: { nodeName } })),
  );
  const isTold = ({ findings = [] }: PolicyStatus) =>
    findings.some(({ reason }) => reason === 'NodesWithoutAgents');
  const hosts = await bench.status(
    { kind: 'ckap', name: 'virtual' },
    (s) => isTold(s) && s.hosts?.live === 3,
  );
  expect(hosts.findings).toMatchObject([
    {
      message: expect.stringContaining(
        '4 nodes (fargate-1, fargate-2, virtual-node-aci-linux and 1 more)',
      ) as unknown,
    },
  ]);
  const pods = await bench.status({ kind: 'kap', name: 'team', namespace }, isTold);
  expect(pods.findings?.filter(({ reason }) => reason === 'NodesWithoutAgents')).toHaveLength(1);
  expect(pods.findings?.map(({ reason }) => reason)).not.toContain('NodeAway');
});
