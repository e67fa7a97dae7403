import type { PolicyKind } from '../../src/api/group.ts';
import { API_VERSION, GROUP, plurals, VERSION } from '../../src/api/group.ts';
import type { PolicyStatus } from '../../src/api/status.ts';
import type { ApiClient } from '../../src/kube/client.ts';
import type { KubeObject } from '../../src/kube/resource.ts';
import { witnessPod } from '../../src/policy/witness.ts';
import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { apiOf } from './api.ts';
import type { Bench, Row } from './result.ts';
import { latencies } from './result.ts';

const rounds = 20;
const namespace = 'default';
const home = 'keepalive-system';
const pods = { group: '', version: 'v1', plural: 'pods' };

type Policy = KubeObject & { readonly status?: PolicyStatus };

/** From a policy's write to Ready, beside the wait that stands in for evidence, and to the first pod that has the values. */
export const policyReady: Bench = async (say) => {
  const cluster = await Cluster.up({ name: 'bench-ready', owned: true });
  const client = apiOf(cluster);
  try {
    await cluster.install();
    say('by evidence');
    const byEvidence = await rowsOf(client, 'by evidence');
    const question = await questions(client);
    say('by the wait: the controller does not ask without its fence');
    await cluster.kubectl('delete', 'validatingadmissionpolicybinding', `dry-run.${GROUP}`);
    const deployment = ['-n', home, 'deployment/keepalive-controller'];
    await cluster.kubectl('rollout', 'restart', ...deployment);
    await cluster.kubectl('rollout', 'status', ...deployment, '--timeout=90s');
    await until('nothing is asked any more', async () => {
      const messages = await cluster.kubectl(
        'get',
        'kap,ckap',
        '-A',
        '-o',
        'jsonpath={.items[*].status.conditions[*].message}',
      );
      return messages.includes('cannot be seen');
    });
    const byWait = await rowsOf(client, 'by a wait of 3 s');
    return [
      {
        bench: 'ready',
        setting: `from the write of a policy, ${rounds} times at random moments, Kubernetes ${cluster.kubernetes}`,
        rows: [...byEvidence, ...byWait],
      },
      { bench: 'ready', setting: 'what asking costs: one dry run, one after the other', rows: [question] },
    ];
  } finally {
    await client.close();
    await cluster.down();
  }
};

async function rowsOf(client: ApiClient, how: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of ['KeepalivePolicy', 'ClusterKeepalivePolicy'] as const)
    for (const change of ['new', 'edited'] as const) {
      const ready: number[] = [];
      const acting: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const name = change === 'new' ? `${how.replaceAll(/[^a-z0-9]+/g, '-')}-${round}` : 'edited';
        const times = await timed(client, { kind, name, seconds: 30 + 3 * round });
        ready.push(times.ready);
        acting.push(times.acting);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 1000));
      }
      const { 'p50 ms': p50 = 0, 'p95 ms': p95 = 0 } = latencies(ready);
      const { 'p50 ms': actsP50 = 0, 'p95 ms': actsP95 = 0 } = latencies(acting);
      rows.push({
        what: `${kind}, ${change}, ${how}`,
        figures: {
          'Ready p50 ms': p50,
          'p95 ms': p95,
          'a pod has the values p50 ms': actsP50,
          'its p95 ms': actsP95,
        },
      });
    }
  return rows;
}

interface Trial {
  readonly kind: PolicyKind;
  readonly name: string;
  readonly seconds: number;
}

async function timed(
  client: ApiClient,
  { kind, name, seconds }: Trial,
): Promise<{ ready: number; acting: number }> {
  const isNamespaced = kind === 'KeepalivePolicy';
  const metadata = { name, ...(isNamespaced ? { namespace } : {}) };
  const target = { group: GROUP, version: VERSION, plural: plurals[kind], ...metadata };
  const labels = { trial: name };
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  const spec = {
    ...(isNamespaced ? {} : { namespaceSelector }),
    podSelector: { matchLabels: labels },
    path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }],
  };
  const startedAt = performance.now();
  const manifest = { apiVersion: API_VERSION, kind, metadata, spec };
  const { metadata: written } = await client.apply<Policy>(target, manifest, { fieldManager: 'bench' });
  let acting: number | undefined;
  for (;;) {
    const isReady = saysReady(await client.get<Policy>(target), written.generation);
    const ready = performance.now() - startedAt;
    if (await hasValues(client, labels, seconds)) acting ??= performance.now() - startedAt;
    if (!isReady) continue;
    if (acting === undefined) throw new Error(`${kind} ${name} is Ready, and a pod made then has no values`);
    return { ready, acting };
  }
}

function saysReady({ status }: Policy, generation: number | undefined): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return status?.observedGeneration === generation && ready?.status === 'True';
}

async function hasValues(
  client: ApiClient,
  labels: Record<string, string>,
  seconds: number,
): Promise<boolean> {
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'trial', labels } },
    spec: { containers: [{ name: 'main', image: 'localhost/tools:1' }] },
  };
  const made = await client.dryRun<{ spec: { securityContext?: { sysctls?: { value: string }[] } } }>(
    { ...pods, namespace },
    pod,
  );
  return made.spec.securityContext?.sysctls?.[0]?.value === String(Math.floor(seconds / 3));
}

/** As the controller asks, over one connection. */
async function questions(client: ApiClient): Promise<Row> {
  const pod = witnessPod([
    { kind: 'KeepalivePolicy', nonce: 'bench', subject: { namespace, name: 'edited' } },
  ]);
  const times: number[] = [];
  for (let round = 0; round < 200; round += 1) {
    const startedAt = performance.now();
    await client.dryRun({ ...pods, namespace: home }, pod);
    times.push(performance.now() - startedAt);
  }
  return { what: 'one question', figures: latencies(times) };
}
