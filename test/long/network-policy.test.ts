import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { get } from '../cluster/api.ts';
import { Cluster } from '../cluster/cluster.ts';
import { loadProduct } from '../cluster/install.ts';
import { provide } from '../cluster/prepare.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, kap, sleeper } from '../e2e/shared.ts';
import { talker } from '../e2e/talker.ts';
import { sysctls } from '../support/builder.ts';
import { buildHelms, buildMs } from '../support/helm.ts';
import { replicas } from './asked.ts';
import { firewallNeeds, startFirewalls } from './firewall.ts';
import { Passing } from './passing.ts';
import { Releases } from './release.ts';

/** The chart's NetworkPolicy where something enforces it, for pods of one node and of two. */
const home = 'keepalive-system';
const [monitoring, elsewhere] = ['e2e-fence-monitoring', 'e2e-fence'] as const;
const prometheus = { app: 'prometheus' };
const metricsFrom = [
  {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': monitoring } },
    podSelector: { matchLabels: prometheus },
  },
];
const fence = [
  '--set',
  'networkPolicy.enabled=true',
  '--set-json',
  `networkPolicy.metricsFrom=${JSON.stringify(metricsFrom)}`,
];
const byWebhook = ['--set', 'admission=webhook'];

const on = (node: string, labels: Record<string, string> = {}) => ({ labels, spec: { nodeName: node } });
const server = talker({ name: 'server', namespace: elsewhere, node: 'n1' }, ['serve', '7000']);
const secure = talker({ name: 'secure', namespace: elsewhere, node: 'n2' }, ['serve', '443']);
const scraper = sleeper('scraper', monitoring, on('n1', prometheus));
const beside = sleeper('beside', monitoring, on('n2'));
const near = sleeper('near', elsewhere, on('n1', prometheus));
const far = sleeper('far', elsewhere, on('n2'));
const strangers = [beside, near, far];
type Pod = typeof scraper;

let cluster: Cluster;
let bench: Bench;
let passing: Passing;
let releases: Releases;

beforeAll(async () => {
  await buildHelms();
  await provide(firewallNeeds, undefined);
  cluster = await Cluster.up({ name: 'e2e-fence', nodes: 2, owned: true });
  bench = new Bench(cluster);
  passing = new Passing(cluster, elsewhere);
  releases = new Releases(cluster, 'Helm 4');
  await loadProduct(cluster);
  await startFirewalls(cluster);
  for (const namespace of [monitoring, elsewhere]) await bench.namespace(namespace);
  await bench.start(server, secure, scraper, ...strangers);
}, buildMs);
afterAll(async () => {
  await passing.close();
  await cluster.down();
});

interface Ours {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly status: { readonly podIP: string };
}

/** Controllers and agents, two each. */
async function ours(): Promise<readonly Ours[]> {
  const { items } = await bench.json<{ items: readonly Ours[] }>(
    ...['pods', '-A', '-l', 'app.kubernetes.io/name=keepalive-operator'],
  );
  return items;
}

async function addressOf({ metadata: { name, namespace } }: Pod): Promise<string> {
  return (await bench.json<Ours>('pod', name, '-n', namespace)).status.podIP;
}

/** What these lines of shell print in a pod. */
function inPod({ metadata: { name, namespace } }: Pod, script: string): Promise<string> {
  return cluster.kubectl('exec', name, '-n', namespace, '--', 'sh', '-c', script);
}

/** What a pod is told where it asks all of ours for metrics: once what all are told, or what some are. */
async function metricsFor(pod: Pod): Promise<string[]> {
  const addresses = (await ours()).map(({ status }) => status.podIP);
  const told = await inPod(
    pod,
    `for at in ${addresses.join(' ')}; do
      printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' | nc -w 5 $at 8080 2>&1 |
        grep -m1 -oE '^keepalive_build_info|Connection refused' || echo nothing
    done`,
  );
  return [...new Set(told.trim().split('\n'))];
}

/** Whether a pod can connect. */
async function isConnected(pod: Pod, address: string, port: number): Promise<boolean> {
  const said = await inPod(pod, `idle connect ${address} ${port} --silent 0 || true`);
  if (said === '') throw new Error(`${pod.metadata.name} says nothing`);
  return !said.startsWith('connect: ');
}

/** What one of ours is told where it connects: nothing where it may. */
function refusalOf({ metadata: { name, namespace } }: Ours, address: string, port: number): Promise<string> {
  const script = `require('node:net').connect(${port}, '${address}')
    .on('connect', () => process.exit()).on('error', ({ code }) => (console.log(code), process.exit()))`;
  return cluster
    .kubectl('exec', name, '-n', namespace, '--', 'node', '-e', script)
    .then((said) => said.trim());
}

async function refusalsOf(pod: Pod, port: number): Promise<string[]> {
  const address = await addressOf(pod);
  return Promise.all((await ours()).map((one) => refusalOf(one, address, port)));
}

const everyTold = (what: string, told: readonly string[][]) =>
  told.every((one) => one.length === 1 && one[0] === what);

async function untilTold(what: string, ...pods: readonly Pod[]): Promise<void> {
  const isTold = async () => everyTold(what, await Promise.all(pods.map(metricsFor)));
  await until(`${pods.map(({ metadata }) => metadata.name).join()} are told ${what}`, isTold, {
    everyMs: 500,
  });
}

/** How many probes of each kind have succeeded in our pods, as their kubelets count them. */
async function succeeded(): Promise<ReadonlyMap<string, number>> {
  const counts = cluster.nodes.map(async (node) => {
    const { body } = await get(cluster.apiSocket, `/api/v1/nodes/${node}/proxy/metrics/probes`);
    const ofOurs =
      /^prober_probe_total\{(.*pod="keepalive-.*probe_type="(?:Liveness|Readiness)",result="successful")\} (\d+)$/gm;
    return [...body.matchAll(ofOurs)].map(([, probe = '', count]) => [probe, Number(count)] as const);
  });
  return new Map((await Promise.all(counts)).flat());
}

/** Every connection to and from it is a new one then. */
async function restartApiServer(): Promise<void> {
  const apiserver = cluster.component('apiserver');
  await apiserver.stop();
  await apiserver.start();
}

test('what enforces it cuts off a pod that a policy closes, on its own node and from another', async () => {
  const address = await addressOf(server);
  const connected = () => Promise.all([near, far].map((pod) => isConnected(pod, address, 7000)));
  const closed = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'closed', namespace: elsewhere },
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  };
  expect(await connected()).toEqual([true, true]);
  await bench.apply(closed);
  await until('nobody is connected', async () => (await connected()).every((one) => !one));
  await cluster.kubectl('delete', 'networkpolicy', 'closed', '-n', elsewhere);
  await until('both are connected', async () => (await connected()).every((one) => one));
});

describe('with the NetworkPolicy of the chart', () => {
  beforeAll(async () => {
    await releases.install('keepalive', home, ...byWebhook, ...fence);
    await untilTold('Connection refused', ...strangers);
  }, 300_000);

  test('who is named reads the metrics of controllers and agents, and nobody else', async () => {
    expect((await ours()).length).toBe(4);
    await untilTold('keepalive_build_info', scraper);
    for (const pod of strangers)
      expect([pod.metadata.name, await metricsFor(pod)]).toEqual([pod.metadata.name, ['Connection refused']]);
  });

  test('kubelets go on asking, and get their answers', async () => {
    const before = await until('each probe has succeeded', async () => {
      const now = await succeeded();
      return now.size === 8 && now;
    });
    await until('each has got one more', async () => {
      const now = await succeeded();
      return [...before].every(([probe, count]) => (now.get(probe) ?? 0) > count);
    });
  });

  test('they speak to whoever has the ports of the API server, and to nobody at another', async () => {
    expect(await refusalsOf(server, 7000)).toEqual(Array.from({ length: 4 }, () => 'ECONNREFUSED'));
    expect(await refusalsOf(secure, 443)).toEqual(Array.from({ length: 4 }, () => ''));
  });

  test('all goes on where every connection to and from the API server has to be made anew', async () => {
    await restartApiServer();
    await bench.apply(kap(elsewhere, 'team', 90), ckap('platform', 90, { nodes: { selector: {} } }));
    await bench.status({ kind: 'kap', name: 'team', namespace: elsewhere });
    await bench.status({ kind: 'ckap', name: 'platform' }, (status) => status.hosts?.live === 2);
    expect(await bench.dryRun(sleeper('new', elsewhere))).toEqual(sysctls());
    for (const pod of ['server', 'far']) await bench.untilValuesIn(pod, elsewhere, '30/10/6');
  }, 300_000);

  test('replicas that start behind it get ready, and no pod passes meanwhile', async () => {
    const seen = await passing.during(async () => {
      await cluster.kubectl('rollout', 'restart', ...replicas);
      await cluster.kubectl('rollout', 'status', ...replicas, '--timeout=200s');
    });
    expect(seen).toEqual({ given: seen.given, passed: 0 });
    await untilTold('Connection refused', ...strangers);
  }, 300_000);

  test('without its port in it the webhook answers nobody: that it does is owed to the policy', async () => {
    const controllers = ['networkpolicy', 'keepalive-controller', '-n', home];
    const { spec } = await bench.json<{
      spec: { ingress: readonly { ports: readonly { port: string }[] }[] };
    }>(...controllers);
    const ingress = spec.ingress.filter(({ ports }) => ports.every(({ port }) => port !== 'webhook'));
    expect(ingress).toHaveLength(1);
    const patch = JSON.stringify({ spec: { ingress } });
    const [one] = (await ours()).filter(({ metadata }) => metadata.namespace === home);
    const isOpen = () => isConnected(far, one?.status.podIP ?? '', 9443);
    expect(await isOpen()).toBe(true);
    await cluster.kubectl('patch', ...controllers, '--type=merge', '-p', patch);
    await until('a pod is refused at its port', async () => !(await isOpen()));
    await restartApiServer();
    await until('a new pod has no values', async () => !(await passing.isGiven()));
  }, 300_000);
});

test('without it everybody is let in, and they speak to whom they like', async () => {
  await releases.upgrade('keepalive', home, ...byWebhook);
  await untilTold('keepalive_build_info', scraper, ...strangers);
  await until('they reach a server', async () => (await refusalsOf(server, 7000)).every((one) => one === ''));
  await until('new pods have the values', () => passing.isGiven());
}, 300_000);
