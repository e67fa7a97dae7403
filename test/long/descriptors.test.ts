import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import type { ConnectionMeans } from '../../src/policy/connection-means.ts';
import { Cluster } from '../cluster/cluster.ts';
import { Bench, kap } from '../e2e/shared.ts';
import { isKeepalive, talker, timersAt } from '../e2e/talker.ts';

// Agents are rolled out, and connections counted, twice each.
jest.setTimeout(600_000);
let bench: Bench;
const namespace = 'e2e-descriptors';
const port = '7002';
const server = { name: 'server', namespace, node: 'n1' };
const policy = { kind: 'kap', name: 'nat', namespace } as const;
const daemonSet = ['-n', 'keepalive-agent', 'daemonset/keepalive-agent'];
const isPinned = async () =>
  (await bench.cluster.onNode('n1', 'ls /sys/fs/bpf')).split('\n').includes('keepalive');

/** What `kubectl set env` takes: `NAME=VALUE`, or `NAME-`. */
async function setOnAgents(setting: string): Promise<void> {
  await bench.cluster.kubectl('set', 'env', ...daemonSet, setting);
  await bench.cluster.kubectl('rollout', 'status', ...daemonSet, '--timeout=120s');
}

async function connect(name: string): Promise<void> {
  const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', namespace);
  const args = ['connect', status.podIP, port, '--silent', '3600'];
  await bench.start(talker({ name, namespace, node: 'n2' }, args));
}

const reachedBy = (by: ConnectionMeans['by']) =>
  bench.report('n1', ({ connections }) => connections?.by === by);
/** Each has two ends. They are counted once a minute, and where only numbers changed a status is written once a minute. */
const areProtected = (connections: number) =>
  bench.status(policy, (status) => status.connections?.protected === 2 * connections, 180_000);
const timers = async () => [...(await timersAt(bench, server, port)).values()];

beforeAll(async () => {
  bench = new Bench(await Cluster.up({ name: 'e2e-descriptors', nodes: 2, owned: true }));
  await bench.cluster.install();
  await bench.namespace(namespace);
  await bench.start(talker(server, ['serve', port]));
  await connect('first');
  await bench.apply(kap(namespace, 'nat', 90));
});
afterAll(() => bench.cluster.down());

test('with CONNECTIONS=Descriptors nothing is left in the kernel, and open and new connections are protected as before', async () => {
  await reachedBy('BPF');
  await areProtected(1);
  expect(await isPinned()).toBe(true);
  await setOnAgents('CONNECTIONS=Descriptors');
  const report = await reachedBy('Descriptors');
  expect(report.connections?.why).toBe('switched off by CONNECTIONS');
  expect(await isPinned()).toBe(false);
  await connect('second');
  const { connections } = await areProtected(2);
  expect(connections).toEqual({ established: 4, protected: 4, exposed: 0, unknown: 0 });
  expect((await timers()).map((timer) => isKeepalive(timer, 30))).toEqual([true, true]);
});

test('without it, the kernel serves again', async () => {
  await setOnAgents('CONNECTIONS-');
  await reachedBy('BPF');
  expect(await isPinned()).toBe(true);
  await areProtected(2);
  await connect('third');
  await areProtected(3);
});
