import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { repository } from '../cluster/place.ts';
import type { PodOnNode } from './pod-on-node.ts';
import { killIn, podsOnNodes, setIn, valuesOfPods } from './pod-on-node.ts';
import type { Bench } from '../e2e/shared.ts';
import { ckap, kap, sleeper, untouched } from '../e2e/shared.ts';

export interface NodeUnderTest {
  readonly name: string;
  /** Its kernel and its runtime give a pod users of its own. */
  readonly hasUsers: boolean;
}

const port = '7000';
const agentPolicy = ckap('agents', 90, {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'keepalive-agent' } },
});
const hostPolicy = ckap('hosts', 90, { podSelector: undefined, nodes: { selector: {} } });

/** What the product does on a node, whatever it is made of, on all of these at once. In the end it is uninstalled: this takes a cluster of its own. */
export function describeEveryNode(
  benchOf: () => Bench,
  nodes: readonly NodeUnderTest[],
  namespace: string,
): void {
  const policy = { kind: 'kap', name: 'nat', namespace } as const;
  const names = nodes.map(({ name }) => name);
  const onEach = (pod: string) => names.map((node) => `${pod}-${node}`);
  const withUsers = nodes.filter(({ hasUsers }) => hasUsers).map(({ name }) => name);
  const running = [...onEach('running'), ...onEach('shared'), ...withUsers.map((node) => `users-${node}`)];
  let bench: Bench;
  const remove = (...args: string[]) => bench.cluster.kubectl('delete', ...args);
  const all = async (pods: readonly string[], values: string) => {
    const known = await podsOf(pods);
    const on = (node: string) => known.filter((one) => one.node === node);
    await Promise.all(names.map((node) => untilPodsHold(on(node), values)));
  };
  const hosts = (values: string) => Promise.all(names.map((node) => bench.untilValuesOf(node, values)));
  const podsOf = async (wanted: readonly string[]) => {
    const found = await podsOnNodes(bench.cluster, namespace);
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining([...wanted]));
    return found.filter(({ name }) => wanted.includes(name));
  };
  const untilPodsHold = (pods: readonly PodOnNode[], values: string) => {
    const what = `${pods.map(({ name }) => name).join(', ')} hold ${values}`;
    return bench.until(
      what,
      async () => {
        const held = Object.values(await valuesOfPods(bench.cluster, pods));
        return held.every((one) => one === values);
      },
      { everyMs: 300 },
    );
  };

  beforeAll(async () => {
    bench = benchOf();
    await bench.namespace(namespace);
    await bench.start(talker('server', names[0] ?? '', ['serve', port]));
    const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', namespace);
    const connect = ['connect', status.podIP, port, '--silent', '3600'];
    await bench.start(
      ...names.flatMap((node) => [
        talker(`running-${node}`, node, connect),
        talker(`host-${node}`, node, connect, { hostNetwork: true }),
        pod(`shared-${node}`, node, { shareProcessNamespace: true }),
      ]),
      ...withUsers.map((node) => pod(`users-${node}`, node, { hostUsers: false })),
    );
    await bench.until('all are connected', async () => {
      const log = await bench.cluster.kubectl('logs', 'server', '-n', namespace);
      return log.match(/^accepted /gm)?.length === 2 * nodes.length;
    });
  });

  async function sysctlsOf(name: string): Promise<readonly object[]> {
    const { spec } = await bench.json<{ spec: { securityContext?: { sysctls?: object[] } } }>(
      ...['pod', name, '-n', namespace],
    );
    return spec.securityContext?.sysctls ?? [];
  }

  function pod(name: string, node: string, spec: object = {}) {
    // A token is a file of the node's in memory, which Linux gives to other users since 6.3.
    const own = { nodeName: node, automountServiceAccountToken: false, ...spec };
    return sleeper(name, namespace, { labels: { app: name.replace(/-.*/, '') }, spec: own });
  }

  /** A pod that runs `idle`, the client and server that keep silent. */
  function talker(name: string, node: string, args: readonly string[], spec: object = {}) {
    const whole = pod(name, node, spec);
    const containers = whole.spec.containers.map((one) => ({ ...one, command: ['idle', ...args] }));
    return { ...whole, spec: { ...whole.spec, containers } };
  }

  test('pods that run when a policy comes get its values, and pods that come after it start with them', async () => {
    await bench.apply(kap(namespace, 'nat', 90));
    await bench.status(policy);
    await all(running, '30/10/6');
    await bench.start(...names.map((node) => pod(`new-${node}`, node)));
    await all(onEach('new'), '30/10/6');
    for (const name of onEach('new')) expect((await sysctlsOf(name)).length).toBe(3);
    // The server is one of them.
    await bench.status(policy, (s) => s.pods?.live === running.length + nodes.length + 1, 60_000);
  });

  test('connections that were open before it, of pods and of the node’s network, are repaired and told of', async () => {
    const status = await bench.status(policy, (s) => s.connections?.protected === 4 * nodes.length, 60_000);
    // Each has an end in the server.
    const ends = 4 * nodes.length;
    expect(status.connections).toEqual({ established: ends, protected: ends, exposed: 0, unknown: 0 });
    for (const node of names)
      expect(await bench.cluster.onNode(node, `ss -tnoH state established 'dport = :${port}'`)).toMatch(
        /timer:\(keepalive,/,
      );
  });

  test('a change reaches them all', async () => {
    await bench.apply(kap(namespace, 'nat', 45));
    await all([...running, ...onEach('new')], '15/5/6');
  });

  test('what somebody on the node sets back is put right', async () => {
    for (const one of await podsOf(onEach('running')))
      await setIn(bench.cluster, one, 'net.ipv4.tcp_keepalive_time', 7200);
    await all(onEach('running'), '15/5/6');
  });

  test('a pod that gets a new sandbox is covered again', async () => {
    for (const one of await podsOf(onEach('shared'))) await killIn(bench.cluster, one, '/pause');
    await bench.until('all of them run again', async () => {
      const path = 'jsonpath={.items[*].status.containerStatuses[0].restartCount}';
      const counts = await bench.cluster.kubectl(
        ...['get', 'pods', '-n', namespace, '-l', 'app=shared', '-o', path],
      );
      return counts.split(' ').every((count) => Number(count) > 0);
    });
    await bench.untilReady(namespace, '-l', 'app=shared');
    await all(onEach('shared'), '15/5/6');
  });

  test('the agents find their own pods', async () => {
    await bench.apply(agentPolicy);
    const name = { kind: 'ckap', name: 'agents' } as const;
    const status = await bench.status(name, (s) => s.pods?.live === nodes.length, 60_000);
    expect(status.findings?.filter(({ reason }) => reason === 'NotReachable') ?? []).toEqual([]);
    expect(status.pods).toMatchObject({ selected: nodes.length, live: nodes.length });
    await remove('ckap', 'agents');
  });

  test('an agent that is killed comes back and goes on', async () => {
    for (const agent of await podsOnNodes(bench.cluster, 'keepalive-agent'))
      await killIn(bench.cluster, agent, 'main.mjs agent');
    await bench.apply(kap(namespace, 'nat', 90));
    await all(running, '30/10/6');
    await bench.untilReady('keepalive-agent', '--all');
  });

  test('all have their own values back when the policy goes', async () => {
    await remove('kap', 'nat', '-n', namespace);
    await all(running, untouched);
  });

  describe('the nodes themselves', () => {
    test('get the values where a cluster policy selects them', async () => {
      await bench.apply(hostPolicy);
      await hosts('30/10/6');
      const status = await bench.status(
        { kind: 'ckap', name: 'hosts' },
        (s) => s.hosts?.live === nodes.length,
        60_000,
      );
      expect(status.hosts).toMatchObject({ selected: nodes.length, live: nodes.length });
    });

    test('have their own back when it goes', async () => {
      await remove('ckap', 'hosts');
      await hosts(untouched);
    });
  });

  test('what is uninstalled leaves every value as it was found, and nothing of ours on a node', async () => {
    await bench.apply(kap(namespace, 'nat', 90), hostPolicy);
    await all(running, '30/10/6');
    await hosts('30/10/6');
    await remove('-k', join(repository, 'deploy'), '--timeout=240s');
    await all(running, untouched);
    await hosts(untouched);
    for (const node of names)
      await bench.until(`${node} has no ledger and no program in its kernel`, async () => {
        const left = 'ls -d /run/keepalive.dev/ledger /sys/fs/bpf/keepalive 2> /dev/null || true';
        return (await bench.cluster.onNode(node, left)).trim() === '';
      });
  });
}
