import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { podNetwork } from '../cluster/addresses.ts';
import { get } from '../cluster/api.ts';
import { Cluster } from '../cluster/cluster.ts';
import { loadProduct } from '../cluster/install.ts';
import { until } from '../cluster/wait.ts';
import { Bench, condition, kap, sleeper } from '../e2e/shared.ts';
import { sysctls } from '../support/builder.ts';
import { buildHelms, buildMs, chart } from '../support/helm.ts';
import { Page } from '../unit/docs/page.ts';
import { replicas } from './asked.ts';
import { Passing } from './passing.ts';
import { Releases } from './release.ts';

/** A control plane that reaches nodes and no pods, as a managed one where a CNI gives pods addresses that only nodes know. */
const namespace = 'e2e-host-network';
const home = 'keepalive-system';
const team = { kind: 'kap', name: 'team', namespace } as const;
const byWebhook = ['--set', 'admission=webhook'];
const inHostNetwork = [...byWebhook, '--values', join(chart, 'values-eks-own-cni.yaml')];
let cluster: Cluster;
let bench: Bench;
let passing: Passing;
let releases: Releases;

beforeAll(async () => {
  await buildHelms();
  cluster = await Cluster.up({ name: namespace, nodes: 2, owned: true });
  bench = new Bench(cluster);
  passing = new Passing(cluster, namespace);
  releases = new Releases(cluster, 'Helm 4');
  await loadProduct(cluster);
  const control = await cluster.lab.host('control');
  await control.nft(`table inet unreachable {
    chain leave {
      type filter hook output priority filter
      ip daddr ${podNetwork.v4} ct state new drop
      ip6 daddr ${podNetwork.v6} ct state new drop
    }
  }
  `);
  await bench.namespace(namespace);
  await bench.namespace(home, { 'pod-security.kubernetes.io/enforce': 'restricted' });
}, buildMs);
afterAll(async () => {
  await passing.close();
  await cluster.down();
});

interface ControllerPod {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly nodeName: string;
    readonly containers: readonly {
      readonly ports: readonly { readonly containerPort: number; readonly hostPort?: number }[];
    }[];
  };
  readonly status: {
    readonly hostIP?: string;
    readonly podIP?: string;
    readonly conditions: readonly { readonly type: string; readonly message?: string }[];
  };
}

async function controllers(): Promise<readonly ControllerPod[]> {
  const ofController = ['-n', home, '-l', 'app.kubernetes.io/component=controller'];
  return (await bench.json<{ items: readonly ControllerPod[] }>('pods', ...ofController)).items;
}

/** What the control plane gets of each replica's metrics. */
async function metricsFromElsewhere(port: number): Promise<number[]> {
  const paths = (await controllers()).map(
    ({ metadata: { name } }) => `/api/v1/namespaces/${home}/pods/${name}:${port}/proxy/metrics`,
  );
  return Promise.all(paths.map(async (path) => (await get(cluster.apiSocket, path)).status));
}

const reasonOf = (status: PolicyStatus) => condition(status, 'Ready')?.reason;

test('replicas in the network of pods are never asked, and the policy says so', async () => {
  await releases.install('keepalive', home, ...byWebhook);
  await bench.apply(kap(namespace, 'team', 90));
  await bench.status(team, (status) => reasonOf(status) === 'AdmissionInactive');
  expect(await passing.isGiven()).toBe(false);
}, 300_000);

test('in the network of their nodes they are, once the namespace lets them, as the page says', async () => {
  const [label = 'false'] = new Page('docs/clouds.md')
    .blocks('sh', 'Pods that the control plane cannot reach')
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('kubectl label'));
  expect((await cluster.exec(['sh', '-ec', label])).code).toBe(0);
  await releases.upgrade('keepalive', home, ...inHostNetwork);
  const status = await bench.status(team, (s) => reasonOf(s) === 'Enforced');
  expect(condition(status, 'Ready')?.message).not.toContain('cannot be seen');
  await bench.start(sleeper('covered', namespace));
  const { spec } = await bench.json<{ spec: { securityContext: { sysctls: unknown } } }>(
    ...['pod', 'covered', '-n', namespace],
  );
  expect(spec.securityContext.sysctls).toEqual(sysctls());
}, 300_000);

test('each has a node of its own, whose ports it takes', async () => {
  const all = await controllers();
  expect(new Set(all.map(({ spec }) => spec.nodeName)).size).toBe(2);
  for (const { spec, status } of all) {
    expect(status.podIP).toBe(status.hostIP);
    expect(spec.containers.flatMap(({ ports }) => ports.map(({ hostPort }) => hostPort))).toEqual([
      8080, 9443,
    ]);
  }
});

test('and one more waits for a node that has these ports', async () => {
  await cluster.kubectl('scale', ...replicas, '--replicas=3');
  await until('no node is found for it', async () => {
    const conditions = (await controllers()).flatMap(({ status }) => status.conditions);
    return conditions.some(
      ({ type, message = '' }) => type === 'PodScheduled' && message.includes('free ports'),
    );
  });
  await cluster.kubectl('scale', ...replicas, '--replicas=2');
  await until('it is gone', async () => (await controllers()).length === 2);
});

test('one after the other is replaced, and no pod passes', async () => {
  const before = (await controllers()).map(({ metadata }) => metadata.name);
  const seen = await passing.during(async () => {
    await cluster.kubectl('rollout', 'restart', ...replicas);
    await cluster.kubectl('rollout', 'status', ...replicas, '--timeout=200s');
  });
  expect(seen).toEqual({ given: seen.given, passed: 0 });
  await until('both of before are gone', async () => {
    const now = (await controllers()).map(({ metadata }) => metadata.name);
    return now.length === 2 && now.every((name) => !before.includes(name));
  });
}, 300_000);

test('at other ports they are asked all the same, and metrics that are for the node alone are for no other', async () => {
  expect(new Set(await metricsFromElsewhere(8080))).toEqual(new Set([200]));
  await releases.upgrade(
    ...(['keepalive', home, ...inHostNetwork] as const),
    ...['--set', 'controller.metricsPort=18080,controller.webhookPort=19443'],
    ...['--set-json', 'controller.extraEnv=[{"name":"METRICS_ADDRESS","value":"127.0.0.1:18080"}]'],
  );
  await until('new pods have the values', () => passing.isGiven());
  // One that was replaced may still be on its way out.
  expect(new Set(await metricsFromElsewhere(18_080))).toEqual(new Set([503]));
}, 300_000);
