import { join } from 'node:path';

import { beforeAll, expect, test } from '@jest/globals';

import { repository } from '../cluster/place.ts';
import type { Bench } from '../e2e/shared.ts';
import { ckap, isReady, kap, untouched } from '../e2e/shared.ts';
import { silentDropAfter } from '../scenario/silent-drop.ts';
import { snatAfter } from '../scenario/snat.ts';
import { confine, letOut, untilConfinementIsTold } from './app-armor.ts';
import type { CheckId } from './checks.ts';
import { checks } from './checks.ts';
import { tryGvisor } from './gvisor.ts';
import { untilKernelOnly, untilUsual } from './kernel-only.ts';
import { play } from './scenarios.ts';
import { killIn, locate, podsOnNodes, setIn } from './pod-on-node.ts';
import type { NodeUnderTest } from './pods-under-test.ts';
import {
  holding,
  initialising,
  namespace,
  PodsUnderTest,
  pod,
  serviceOf,
  talker,
  withSystemd,
} from './pods-under-test.ts';
import { untilSpeaks } from './speaking.ts';

const port = '7000';
const policy = { kind: 'kap', name: 'nat', namespace } as const;
const agentPolicy = ckap('agents', 90, {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'keepalive-agent' } },
});
const hostPolicy = ckap('hosts', 90, { podSelector: undefined, nodes: { selector: {} } });

export interface SuiteOptions {
  /** Those that take long too. */
  readonly isWhole: boolean;
  readonly onTried: (id: CheckId, held: boolean, nodes: readonly string[]) => void;
}

/** What the product does on a node, whatever it is made of, on all of these at once. In the end it is uninstalled: this takes a cluster of its own. */
export function describeEveryNode(
  benchOf: () => Bench,
  nodes: readonly NodeUnderTest[],
  { isWhole, onTried }: SuiteOptions,
): void {
  const names = nodes.map(({ name }) => name);
  const withUsers = nodes.filter(({ hasUsers }) => hasUsers).map(({ name }) => name);
  const armed = nodes.filter(({ hasBpf }) => hasBpf).map(({ name }) => name);
  const isByDescriptors = armed.length < nodes.length;
  const onEach = (name: string, some = names) => some.map((node) => `${name}-${node}`);
  const rare = isWhole ? [...onEach('static'), ...onEach('init')] : [];
  const running = [...onEach('running'), ...onEach('shared'), ...rare];
  let bench: Bench;
  let pods: PodsUnderTest;
  const remove = (...args: string[]) => bench.cluster.kubectl('delete', ...args);
  const hosts = (values: string) => Promise.all(names.map((node) => bench.untilValuesOf(node, values)));

  /** What the status says of them is so at once, and is not waited for again. */
  const told = async (values: string, wanted: readonly string[]) => {
    // The server is one of them.
    await bench.status(policy, (s) => isReady(s) && s.pods?.live === wanted.length + 1, 60_000);
    expect(await pods.valuesOf(wanted)).toEqual(holding(wanted, values));
  };

  const check = (id: CheckId, body: () => Promise<void>, on = names, timeoutMs?: number) => {
    test(
      checks[id],
      async () => {
        onTried(id, false, on);
        await body();
        onTried(id, true, on);
      },
      timeoutMs,
    );
  };

  /** Connections of these nodes that were open before, in pods and in the node's own network. */
  const untilAllSpeak = async (some: string[], seconds: number) => {
    const inPods = await pods.located(onEach('running', some));
    const networks = [...some.map((node) => ({ node })), ...inPods];
    await Promise.all(networks.map((network) => untilSpeaks(bench, network, port, seconds)));
  };

  beforeAll(async () => {
    bench = benchOf();
    pods = new PodsUnderTest(bench);
    await bench.namespace(namespace);
    await bench.start(talker('server', names[0] ?? '', ['serve', port]));
    // Whose address stays when its node is started again.
    await bench.apply(serviceOf('server', Number(port)));
    const { spec } = await bench.json<{ spec: { clusterIP: string } }>('service', 'server', '-n', namespace);
    const connect = ['connect', spec.clusterIP, port, '--silent', '3600'];
    await bench.start(
      ...nodes.flatMap(({ name: node, hasUsers }) => [
        talker(`running-${node}`, node, connect),
        talker(`host-${node}`, node, connect, { hostNetwork: true }),
        // Its sandbox holds all of its namespaces, that of its users too where it has users of its own.
        pod(`shared-${node}`, node, { shareProcessNamespace: true, ...(hasUsers && { hostUsers: false }) }),
      ]),
    );
    if (isWhole) {
      await bench.apply(...names.map((node) => initialising(`init-${node}`, node)));
      for (const { name, staticPods } of nodes) {
        const text = JSON.stringify(pod('static', name));
        await bench.cluster.onNode(name, `cat > ${staticPods()}/every-node.json <<'END'\n${text}\nEND`);
      }
    }
    await bench.until(
      'all are connected',
      async () => {
        const log = await bench.cluster.kubectl('logs', 'server', '-n', namespace);
        return log.match(/^accepted /gm)?.length === 2 * nodes.length;
      },
      { everyMs: 500 },
    );
  });

  check('live', async () => {
    await bench.apply(kap(namespace, 'nat', 90));
    await told('30/10/6', running);
  });

  if (isWhole)
    check('rare', async () => {
      await pods.untilAllHold(rare, '30/10/6');
      for (const name of onEach('init')) expect(await pods.phaseOf(name)).toBe('Pending');
    });

  const ofSystemd = nodes.filter(({ hasSystemd }) => isWhole && hasSystemd);
  const withInit = ofSystemd.map(({ name }) => name);
  if (withInit.length > 0)
    check(
      'systemd',
      async () => {
        const added = onEach('systemd', withInit);
        await bench.apply(...ofSystemd.flatMap((node) => withSystemd(`systemd-${node.name}`, node)));
        for (const name of added) await bench.untilReady(namespace, name);
        for (const node of withInit)
          await bench.until(
            `systemd of a pod of ${node} has started its service`,
            async () =>
              (await bench.cluster.onNode(
                node,
                "grep -ls 'pod.*sleep.service$' /proc/[0-9]*/cgroup; true",
              )) !== '',
            { everyMs: 1000 },
          );
        await pods.untilAllHold(added, '30/10/6');
        await remove('pod', '-n', namespace, ...added);
      },
      withInit,
    );

  check(
    'users',
    async () => {
      for (const name of onEach('shared', withUsers)) {
        const { spec } = await bench.json<{ spec: { hostUsers?: boolean } }>('pod', name, '-n', namespace);
        expect(spec.hostUsers).toBe(false);
      }
      await pods.untilAllHold(onEach('shared', withUsers), '30/10/6');
    },
    withUsers,
  );

  check('connections', async () => {
    // Each has an end in the server.
    const ends = 4 * nodes.length;
    const status = await bench.status(policy, (s) => s.connections?.protected === ends, 60_000);
    expect(status.connections).toEqual({ established: ends, protected: ends, exposed: 0, unknown: 0 });
    for (const node of names)
      expect(await bench.cluster.onNode(node, `ss -tnoH state established 'dport = :${port}'`)).toMatch(
        /timer:\(keepalive,/,
      );
  });

  check('new', async () => {
    await bench.start(...names.map((node) => pod(`new-${node}`, node)));
    for (const name of onEach('new')) expect(await pods.sysctlsOf(name)).toHaveLength(3);
    await told('30/10/6', [...running, ...onEach('new')]);
  });

  check('changed', async () => {
    // So short that no share of what was given behind 90 s is enough for it: each is given anew.
    await bench.apply(kap(namespace, 'nat', 30));
    await told('10/4/6', [...running, ...onEach('new')]);
    await untilAllSpeak(names, 10);
  });

  check('drift', async () => {
    for (const one of await pods.located(onEach('running')))
      await setIn(bench.cluster, one, 'net.ipv4.tcp_keepalive_time', 7200);
    await pods.untilAllHold(onEach('running'), '10/4/6');
  });

  check('sandbox', async () => {
    for (const one of await pods.located(onEach('shared'))) await killIn(bench.cluster, one, '/pause');
    await pods.untilRestarted('shared');
    await pods.untilAllHold(onEach('shared'), '10/4/6');
  });

  check('own', async () => {
    await bench.apply(agentPolicy);
    const name = { kind: 'ckap', name: 'agents' } as const;
    const status = await bench.status(name, (s) => s.pods?.live === nodes.length, 60_000);
    expect(status.findings?.filter(({ reason }) => reason === 'NotReachable') ?? []).toEqual([]);
    expect(status.pods).toMatchObject({ selected: nodes.length, live: nodes.length });
    await remove('ckap', 'agents');
  });

  const withGvisor = nodes.filter(({ hasGvisor }) => hasGvisor).map(({ name }) => name);
  if (withGvisor.length > 0)
    check(
      'gvisor',
      async () => {
        for (const node of withGvisor) await tryGvisor(bench, node);
      },
      withGvisor,
    );

  check('killed', async () => {
    for (const agent of await podsOnNodes(bench.cluster, 'keepalive-agent')) {
      const [located] = await locate(bench.cluster, [agent]);
      if (located !== undefined) await killIn(bench.cluster, located, 'main.mjs');
    }
    await bench.apply(kap(namespace, 'nat', 90));
    await pods.untilAllHold(running, '30/10/6');
    await bench.untilReady('keepalive-agent', '--all');
  });

  if (isWhole) {
    const guests = armed.filter((name) => name !== names[0]);
    if (guests.length > 0)
      check(
        'kernelOnly',
        async () => {
          try {
            await untilKernelOnly(bench, guests);
            await bench.apply(kap(namespace, 'nat', 12));
            await told('4/2/6', [...running, ...onEach('new')]);
            await untilAllSpeak(guests, 4);
          } finally {
            // Or the checks to come would fail for it.
            await untilUsual(bench);
          }
          await bench.apply(kap(namespace, 'nat', 90));
          await pods.untilAllHold(running, '30/10/6');
        },
        guests,
      );

    // By descriptors, under emulation, a new connection is looked for more seldom than every 4 s.
    const forgetsAfterSeconds = isByDescriptors ? 60 : 4;
    for (const [id, scenario] of Object.entries({ snat: snatAfter, silentDrop: silentDropAfter }))
      check(
        id as CheckId,
        async () => {
          for (const node of names)
            await play(scenario(forgetsAfterSeconds), bench.cluster, node, bench.patience);
        },
        names,
        isByDescriptors ? 1_800_000 : undefined,
      );

    check('upgraded', async () => {
      const agents = ['-n', 'keepalive-agent', 'daemonset/keepalive-agent'];
      await bench.cluster.kubectl('rollout', 'restart', ...agents);
      await bench.cluster.kubectl('rollout', 'status', ...agents, '--timeout=600s');
      expect(await pods.valuesOf(running)).toEqual(holding(running, '30/10/6'));
      await bench.apply(kap(namespace, 'nat', 45));
      await pods.untilAllHold(running, '15/5/6');
    });

    const armoured = nodes.filter(({ hasAppArmor }) => hasAppArmor).map(({ name }) => name);
    check(
      'appArmor',
      async () => {
        const there = (name: string) => armoured.some((node) => name.endsWith(`-${node}`));
        const kept = running.filter(there);
        try {
          for (const node of armoured) await confine(bench, node);
          await bench.apply(kap(namespace, 'nat', 60));
          await untilConfinementIsTold(bench, policy, [...kept, ...onEach('new').filter(there)]);
          // What a pod has of the agent before, it keeps.
          expect(await pods.valuesOf(kept)).toEqual(holding(kept, '15/5/6'));
        } finally {
          // Or the checks to come would fail for it.
          for (const node of armoured) await letOut(bench, node);
        }
        await bench.apply(kap(namespace, 'nat', 45));
        await told('15/5/6', [...running, ...onEach('new')]);
      },
      armoured,
    );

    check('rebooted', async () => {
      await bench.apply(hostPolicy);
      await hosts('30/10/6');
      for (const node of names) await bench.cluster.rebootNode(node);
      await pods.untilAllHold(running, '15/5/6');
      await hosts('30/10/6');
      await remove('ckap', 'hosts');
      await hosts(untouched);
    });
  }

  check('restored', async () => {
    await remove('kap', 'nat', '-n', namespace);
    await pods.untilAllHold(running, untouched);
  });

  check('host', async () => {
    await bench.apply(hostPolicy);
    const name = { kind: 'ckap', name: 'hosts' } as const;
    const status = await bench.status(name, (s) => s.hosts?.live === nodes.length, 60_000);
    expect(status.hosts).toMatchObject({ selected: nodes.length, live: nodes.length });
    await hosts('30/10/6');
    await remove('ckap', 'hosts');
    await hosts(untouched);
  });

  check('uninstalled', async () => {
    await bench.apply(kap(namespace, 'nat', 90), hostPolicy);
    await pods.untilAllHold(running, '30/10/6');
    await hosts('30/10/6');
    await remove('-k', join(repository, 'deploy'), '--timeout=240s');
    await pods.untilAllHold(running, untouched);
    await hosts(untouched);
    const ours = '/run/keepalive.dev/ledger /sys/fs/bpf/keepalive';
    for (const node of names)
      await bench.until(
        `${node} has no ledger and no program in its kernel`,
        async () => (await bench.cluster.onNode(node, `ls -d ${ours} 2> /dev/null || true`)).trim() === '',
        { everyMs: 1000 },
      );
  });
}
