import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { resources } from '../../src/agent/resource.ts';
import type { NodeKeepaliveStatus } from '../../src/api/node-keepalive.ts';
import type { PolicyStatus } from '../../src/api/status.ts';
import type { ApiClient } from '../../src/kube/client.ts';
import { apiOf, each } from './api.ts';
import type { Bench, Row } from './result.ts';
import { documentsOf } from '../support/manifest.ts';

const pods = 20;
const piles = [0, 500, 5000] as const;
const createAtOnce = 8;
/** A policy that is not Ready by then counts as one that never is. */
const patienceMs = 600_000;

const crowd = 'crowd';
const neighbour = 'neighbour';

/** What one namespace's heap of Audit policies costs the policy of another team on the same node. */
export const neighbours: Bench = async (say) => {
  const cluster = await Cluster.up({ name: 'bench-neighbour', owned: true });
  const client = apiOf(cluster);
  try {
    await cluster.install();
    await settle(cluster);
    const rows: Row[] = [];
    let made = 0;
    for (const pile of piles) {
      say(`${pile} policies over ${pods} pods`);
      const names = Array.from({ length: pile - made }, (_, at) => `policy-${made + at}`);
      await each(names, createAtOnce, (name) =>
        client.create({ ...resources.keepalivepolicies, namespace: crowd }, policy(crowd, name, 90)),
      );
      made = pile;
      rows.push({ what: `${pile} policies of one namespace`, figures: await figuresOf(cluster, client) });
      say(JSON.stringify(rows.at(-1)));
    }
    return [
      {
        bench: 'neighbours',
        setting: `${pods} pods of one namespace, each selected by all its policies, which audit; another namespace with one pod and one policy; Kubernetes ${cluster.kubernetes}`,
        rows,
      },
    ];
  } finally {
    await client.close();
    await cluster.down();
  }
};

async function settle(cluster: Cluster): Promise<void> {
  const settings = ['configmap', 'keepalive-settings', '-n', 'keepalive-system', '--type=merge', '-p'];
  await cluster.kubectl('patch', ...settings, JSON.stringify({ data: { policiesPerNamespace: '10000' } }));
  for (const namespace of [crowd, neighbour]) {
    await cluster.kubectl('create', 'namespace', namespace);
    await until('its service account is there', async () => {
      const account = ['serviceaccount', 'default', '-n', namespace];
      return (await cluster.exec(['kubectl', 'get', ...account])).code === 0;
    });
  }
  const all = [...Array.from({ length: pods }, (_, at) => pod(crowd, `pod-${at}`)), pod(neighbour, 'pod')];
  await cluster.apply(documentsOf(all));
  const ready = ['--all', '--for=condition=Ready', '--timeout=180s'];
  for (const namespace of [crowd, neighbour]) await cluster.kubectl('wait', 'pod', '-n', namespace, ...ready);
}

async function figuresOf(cluster: Cluster, client: ApiClient): Promise<Row['figures']> {
  const created = await readyAfter(client, policy(neighbour, 'theirs', 90));
  const changed = await readyAfter(client, policy(neighbour, 'theirs', 60));
  const { status } = await client.get<{ status?: NodeKeepaliveStatus }>({
    ...resources.nodekeepalives,
    name: 'n1',
  });
  await client.delete({ ...resources.keepalivepolicies, namespace: neighbour, name: 'theirs' });
  return {
    'new, Ready after s': created,
    'changed, Ready after s': changed,
    'NodeKeepalive KiB': Buffer.byteLength(JSON.stringify(status ?? {})) / 1024,
    'policies in it': status?.policies?.length ?? 0,
    'agent restarts': await restarts(cluster, 'keepalive-agent'),
    'controller restarts': await restarts(cluster, 'keepalive-system'),
  };
}

/** Infinity where it does not come to that in the time there is. */
async function readyAfter(client: ApiClient, wanted: ReturnType<typeof policy>): Promise<number> {
  const { namespace, name } = wanted.metadata;
  const target = { ...resources.keepalivepolicies, namespace };
  const startedAt = performance.now();
  await client.apply(target, wanted, { fieldManager: 'bench' });
  return until(
    `${name} is Ready`,
    async () => {
      const { metadata, status } = await client.get<{
        metadata: { generation: number };
        status?: PolicyStatus;
      }>({ ...target, name });
      const isReady = status?.conditions?.some(
        (one) =>
          one.type === 'Ready' && one.status === 'True' && one.observedGeneration === metadata.generation,
      );
      return isReady === true ? (performance.now() - startedAt) / 1000 : undefined;
    },
    { timeoutMs: patienceMs, everyMs: 250 },
  ).catch(() => Infinity);
}

async function restarts(cluster: Cluster, namespace: string): Promise<number> {
  const all = JSON.parse(await cluster.kubectl('get', 'pods', '-n', namespace, '-o', 'json')) as {
    items: readonly { status: { containerStatuses?: readonly { restartCount: number }[] } }[];
  };
  const counts = all.items.flatMap(({ status }) => status.containerStatuses ?? []);
  return counts.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function policy(namespace: string, name: string, seconds: number) {
  return {
    ...{ apiVersion: 'keepalive.dev/v1alpha1', kind: 'KeepalivePolicy', metadata: { name, namespace } },
    spec: {
      ...{ podSelector: {}, path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }] },
      mode: namespace === crowd ? 'Audit' : 'Enforce',
    },
  };
}

function pod(namespace: string, name: string) {
  const container = { name: 'main', image: 'localhost/tools:1', imagePullPolicy: 'Never' };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ ...container, command: ['sleep', '7200'] }],
    },
  };
}
