import { GROUP, plurals, VERSION } from '../../src/api/group.ts';
import type { PolicyKind } from '../../src/api/group.ts';
import { pathOf } from '../../src/kube/resource.ts';
import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { crowds, crowdsOf, policies, selectorOf } from './admission-crowds.ts';
import { apiOf, each } from './api.ts';
import { keepaliveRules } from './kyverno-rules.ts';
import { memoryIn, memoryOf } from './process-figures.ts';
import type { Bench, Row } from './result.ts';
import { latencies } from './result.ts';
import { buildKyverno, startKyverno } from '../support/kyverno.ts';
import { Overlays } from '../support/overlay.ts';
import { Agent, request } from 'undici';
import { documentsOf } from '../support/manifest.ts';

const rounds = 400;
const warmUp = 50;

interface Place {
  readonly what: string;
  readonly kind: PolicyKind;
  /** Where the pods are created, and the policies that select some of them. */
  readonly namespace: string;
  /** Where the namespaced policies are that select none of them. */
  readonly othersIn: string;
}
const places: readonly Place[] = [
  { what: 'KeepalivePolicy', kind: 'KeepalivePolicy', namespace: 'bench-few', othersIn: 'bench-others' },
  {
    what: 'KeepalivePolicy, all in one namespace',
    kind: 'KeepalivePolicy',
    namespace: 'bench-crowded',
    othersIn: 'bench-crowded',
  },
  {
    what: 'ClusterKeepalivePolicy',
    kind: 'ClusterKeepalivePolicy',
    namespace: 'bench-cluster',
    othersIn: 'bench-others',
  },
];
const elsewhere = 'bench-elsewhere';
/** Where Kyverno's rules select pods, and none of ours does. */
const theirs = 'bench-kyverno';

/** How long the create of a pod takes (server-side dry run: all of admission, no storage). */
export const admission: Bench = async (say) => {
  await buildKyverno();
  const cluster = await Cluster.up({ name: 'bench-admission', owned: true });
  const sockets = new Agent({ connect: { socketPath: cluster.apiSocket }, pipelining: 1, connections: 1 });
  try {
    await cluster.install();
    for (const namespace of [elsewhere, theirs, 'bench-others', ...places.map((place) => place.namespace)]) {
      await cluster.kubectl('create', 'namespace', namespace);
      await until('its service account is there', async () => {
        return (
          (await cluster.exec(['kubectl', 'get', 'serviceaccount', 'default', '-n', namespace])).code === 0
        );
      });
    }
    const create = (namespace: string, crowd: string) => timedCreate(sockets, namespace, crowd);
    say('no policy in the cluster');
    const before = await measure([{ what: 'none', run: () => create(elsewhere, 'none') }]);
    say(`${policies} policies of each sort`);
    await declare(cluster);
    const scenarios = [
      {
        what: `${policies} + ${policies} policies, none selects the namespace`,
        run: () => create(elsewhere, 'none'),
      },
      ...places.flatMap(({ what, namespace }) =>
        [{ label: 'none', matching: 0 }, ...crowds].map(({ label, matching }) => ({
          what: `${what}: ${matching} of ${policies} match`,
          run: () => create(namespace, label),
        })),
      ),
    ];
    const rows = await measure(scenarios);
    say('the same, by the webhook');
    await changeByWebhook(cluster);
    for (const { namespace } of places)
      await until('the webhook is asked', () => isAnswered(() => create(namespace, 'one')));
    const asked = await measure(scenarios.map(({ what, run }) => ({ what: `webhook, ${what}`, run })));
    const ours = await memoryOfControllers(cluster);
    say('Kyverno');
    await cluster.kubectl('delete', 'kap,ckap', '--all', '-A');
    const { pid } = await startKyverno(cluster);
    const rules = documentsOf(keepaliveRules(theirs));
    await until('Kyverno takes its rules', async () => {
      const { code } = await cluster.exec(['kubectl', 'apply', '--server-side', '-f', '-'], { stdin: rules });
      return code === 0;
    });
    await until('Kyverno is asked', () => isAnswered(() => create(theirs, 'one')));
    const peer = await measure(
      [{ label: 'none', matching: 0 }, ...crowds].map(({ label, matching }) => ({
        what: `Kyverno, ClusterPolicy: ${matching} of ${policies} match`,
        run: () => create(theirs, label),
      })),
    );
    return [
      {
        bench: 'admission',
        setting: `create of a pod, server-side dry run, one after the other, Kubernetes ${cluster.kubernetes}, ${rounds} rounds in turn`,
        rows: [
          { what: 'no policy in the cluster', figures: before[0]?.figures ?? {} },
          ...rows,
          ...asked,
          ...peer,
        ],
      },
      {
        bench: 'admission',
        setting: 'memory of who answers, after the rows above',
        rows: [
          ...ours.map((figures) => ({ what: 'keepalive-controller, which is the webhook too', figures })),
          { what: 'Kyverno', figures: memoryOf(pid) },
        ],
      },
    ];
  } finally {
    await sockets.close();
    await cluster.down();
  }
};

/** Of both replicas. */
async function memoryOfControllers(cluster: Cluster): Promise<Row['figures'][]> {
  const script = `for pid in $(pgrep -f 'main.mjs controller$'); do cat /proc/$pid/status; echo; done`;
  const told = await Promise.all(cluster.nodes.map((node) => cluster.onNode(node, script)));
  return told
    .flatMap((text) => text.split('\n\n').filter((status) => status.includes('VmRSS')))
    .map(memoryIn);
}

/** It is not yet, or its service is not yet there. */
function isAnswered(ask: () => Promise<number>): Promise<boolean> {
  return ask().then(
    () => true,
    () => false,
  );
}

/** By nothing else from then on. */
async function changeByWebhook(cluster: Cluster): Promise<void> {
  const overlays = new Overlays();
  try {
    await cluster.install({ folder: overlays.write('webhook', { components: ['webhook'] }), isLoaded: true });
  } finally {
    overlays.remove();
  }
  const kinds = 'mutatingadmissionpolicies,mutatingadmissionpolicybindings';
  await cluster.kubectl('delete', kinds, '-l', 'app.kubernetes.io/name=keepalive-operator');
}

interface Scenario {
  readonly what: string;
  readonly run: () => Promise<number>;
}

/** In turn, so that a slow moment of the machine falls on all of them. */
async function measure(scenarios: readonly Scenario[]): Promise<Row[]> {
  const times = new Map(scenarios.map(({ what }) => [what, [] as number[]]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const { what, run } of scenarios) {
      const ms = await run();
      if (round >= 0) times.get(what)?.push(ms);
    }
  }
  return [...times].map(([what, ms]) => ({ what, figures: latencies(ms) }));
}

async function timedCreate(dispatcher: Agent, namespace: string, crowd: string): Promise<number> {
  const path = `${pathOf({ group: '', version: 'v1', plural: 'pods', namespace })}?dryRun=All`;
  const body = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'bench-', labels: { crowd } },
    spec: { containers: [{ name: 'main', image: 'localhost/tools:1' }] },
  });
  const startedAt = performance.now();
  const response = await request(`http://localhost${path}`, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const text = await response.body.text();
  const ms = performance.now() - startedAt;
  if (response.statusCode !== 201) throw new Error(`${response.statusCode}: ${text}`);
  const changed = text.includes('tcp_keepalive_time');
  if (changed !== crowds.some(({ label }) => label === crowd)) {
    throw new Error(
      `a pod of crowd ${crowd} in ${namespace} was ${changed ? '' : 'not '}changed: the figures would say nothing`,
    );
  }
  return ms;
}

/** A hundred of each sort: the first ten select one crowd or more, the others a label that no pod has. */
async function declare(cluster: Cluster): Promise<void> {
  const client = apiOf(cluster);
  const all = places.flatMap((place) =>
    Array.from({ length: policies }, (_, index) => ({ ...place, index })),
  );
  await each(all, 8, ({ kind, namespace, othersIn, index }) => {
    const isSelecting = crowdsOf(index).length > 0;
    const podSelector = selectorOf(index);
    const path = [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: 90 }];
    const isCluster = kind === 'ClusterKeepalivePolicy';
    const home = isCluster ? {} : { namespace: isSelecting ? namespace : othersIn };
    // Of the cluster kind, those that select no pod here are of other namespaces, as they would be.
    const selected = isSelecting ? namespace : `other-${index}`;
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': selected } };
    return client.create(
      { group: GROUP, version: VERSION, plural: plurals[kind], ...home },
      {
        apiVersion: `${GROUP}/${VERSION}`,
        kind,
        metadata: { name: `policy-${index}`, ...home },
        spec: { podSelector, path, ...(isCluster ? { namespaceSelector } : {}) },
      },
    );
  });
  await client.close();
  for (const kind of ['kap', 'ckap']) {
    await cluster.kubectl(
      'wait',
      kind,
      '--all',
      ...(kind === 'kap' ? ['-A'] : []),
      '--for=condition=Ready',
      '--timeout=120s',
    );
  }
}
