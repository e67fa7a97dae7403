import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { Bench, ckap, kap } from './shared.ts';
import { talker } from './talker.ts';

const bench = new Bench();
const namespace = 'e2e-connections';
const port = '7000';
const remove = (...args: string[]) => bench.cluster.kubectl('delete', ...args);

const at = (name: string, node: string) => ({ name, namespace, node });

beforeAll(async () => {
  await bench.namespace(namespace);
  await bench.start(talker(at('server', 'n1'), ['serve', port]));
  const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', namespace);
  const connect = ['connect', status.podIP, port, '--silent', '3600'];
  await bench.start(
    talker(at('deaf', 'n2'), connect),
    talker(at('asks', 'n3'), [...connect, '--keepalive']),
    talker(at('host', 'n3'), connect, { hostNetwork: true }),
  );
  await until('all are connected', async () => {
    const log = await bench.cluster.kubectl('logs', 'server', '-n', namespace);
    return log.match(/^accepted /gm)?.length === 3;
  });
});
afterAll(async () => {
  await remove('ckap', '--all');
  await remove('namespace', namespace, '--wait=false');
});

const policy = { kind: 'kap', name: 'nat', namespace } as const;

describe('connections that were open before the policy came', () => {
  test('are only counted where it observes: what is exposed, and why, without addresses', async () => {
    await bench.apply(kap(namespace, 'nat', 90, { openConnections: 'Observe' }));
    const status = await bench.status(policy, (s) => s.connections?.established === 6);
    // Each of the three has an end in the server, which does not ask; one client does, before its values changed.
    expect(status.connections).toEqual({ established: 6, protected: 0, exposed: 6, unknown: 0 });
    // In the order of their nodes.
    const found = status.findings?.filter(({ reason }) => reason === 'ExposedConnections') ?? [];
    expect(found.map(({ pod, message }) => [pod, message.split(';')[0]])).toEqual([
      ['server', '3 connections of idle: its program did not ask for keepalive'],
      ['deaf', 'one connection of idle: its program did not ask for keepalive'],
      ['asks', 'one connection of idle: its timer was armed before the values changed, and runs on'],
      ['host', 'one connection of idle: its program did not ask for keepalive'],
    ]);
  });

  test('speak before the timeout where it repairs, whatever network their pod uses', async () => {
    await bench.apply(kap(namespace, 'nat', 90));
    const status = await bench.status(policy, (s) => s.connections?.protected === 6);
    expect(status.connections).toEqual({ established: 6, protected: 6, exposed: 0, unknown: 0 });
    const host = await bench.cluster.lab.host('n3');
    const sockets = await host.execOrThrow(['ss', '-tnoH', 'state', 'established', `dport = :${port}`], {
      cwd: '/',
    });
    // Right before a probe, ss counts in milliseconds.
    const [, left, unit] = /timer:\(keepalive,([\d.]+)(sec|ms)/.exec(sockets) ?? [];
    expect(Number(left) / (unit === 'ms' ? 1000 : 1)).toBeLessThanOrEqual(30);
  });

  test('keep what they were given when it goes: nothing is ever made looser', async () => {
    await remove('kap', 'nat', '-n', namespace);
    const host = await bench.cluster.lab.host('n3');
    await bench.untilValuesIn('deaf', namespace, '7200/75/9');
    const sockets = await host.execOrThrow(['ss', '-tnoH', 'state', 'established', `dport = :${port}`], {
      cwd: '/',
    });
    expect(sockets).toMatch(/timer:\(keepalive,/);
  });
});

test('what the node itself forgets sooner than the path declares is told, and nothing is changed', async () => {
  const key = 'net.netfilter.nf_conntrack_tcp_timeout_established';
  const host = await bench.cluster.lab.host('n2');
  const before = (await host.execOrThrow(['sysctl', '-n', key], { cwd: '/' })).trim();
  await host.sysctl({ [key]: 60 });
  try {
    // Looked at when an agent starts, and with everything else each 30 s.
    await bench.cluster.kubectl('rollout', 'restart', '-n', 'keepalive-agent', 'daemonset/keepalive-agent');
    await bench.cluster.kubectl(
      'rollout',
      'status',
      '-n',
      'keepalive-agent',
      'daemonset/keepalive-agent',
      '--timeout=120s',
    );
    await bench.apply(kap(namespace, 'nat', 90));
    const status = await bench.status(
      policy,
      (s) => s.findings?.some(({ reason }) => reason === 'ShorterTrackerOnNode') === true,
    );
    const found = status.findings?.filter(({ reason }) => reason === 'ShorterTrackerOnNode');
    expect(found).toMatchObject([{ node: 'n2' }]);
    expect(found?.[0]?.message).toContain(`after 60 s (Conntrack, ${key}), sooner than the 90 s of nat`);
    const { trackers, kubeProxy } = await bench.report('n2', (told) => told.kubeProxy !== undefined);
    expect(trackers).toContainEqual({ type: 'Conntrack', idleTimeoutSeconds: 60, source: key });
    expect(kubeProxy).toMatchObject({ mode: 'nftables' });
    expect((await host.execOrThrow(['sysctl', '-n', key], { cwd: '/' })).trim()).toBe('60');
  } finally {
    await host.sysctl({ [key]: Number(before) });
  }
  // It looks again each 30 s, and tells whoever comes next of what was.
  await bench.report('n2', ({ trackers: told = [] }) => !told.some((one) => one.idleTimeoutSeconds === 60));
});

test('a cluster policy for nodes counts the connections of the nodes themselves', async () => {
  await bench.apply(
    ckap('hosts', 90, {
      podSelector: undefined,
      nodes: { selector: { matchLabels: { 'kubernetes.io/hostname': 'n3' } } },
    }),
  );
  const status = await bench.status(
    { kind: 'ckap', name: 'hosts' },
    (s) => (s.connections?.established ?? 0) > 1,
  );
  // The kubelet and kube-proxy talk to the API server, and the pod of the host's network to the server.
  expect(status.connections?.exposed).toBe(0);
  expect(status.hosts).toEqual({ selected: 1, live: 1, summary: '1/1' });
});
