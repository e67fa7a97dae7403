import { GROUP, plurals, VERSION } from '../../src/api/group.ts';
import type { PolicyKind } from '../../src/api/group.ts';
import { builtIn } from '../../src/kube/built-in.ts';
import { Cluster } from '../cluster/cluster.ts';
import { labSettings } from '../cluster/install.ts';
import { until } from '../cluster/wait.ts';
import { crowds, crowdsOf, policies, selectorOf, teams } from './admission-crowds.ts';
import { memoryOfApiServer, memoryOfControllers } from './admission-memory.ts';
import type { Scenario } from './admission-rounds.ts';
import { Creator, inRounds, rounds } from './admission-rounds.ts';
import { apiOf, each } from './api.ts';
import { keepaliveRules } from './kyverno-rules.ts';
import { memoryOf } from './process-figures.ts';
import type { Bench, Result, Row } from './result.ts';
import { buildKyverno, startKyverno } from '../support/kyverno.ts';
import { Overlays } from '../support/overlay.ts';
import { documentsOf } from '../support/manifest.ts';

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

/** As many of a hundred policies as some pod matches, none first. */
const matches = [{ label: 'none', matching: 0 }, ...crowds];
const ours = 'app.kubernetes.io/name=keepalive-operator';

/**
 * How long the create of a pod takes (server-side dry run: all of admission, no storage): by policies, by the webhook, by Kyverno. What
 * each adds is over an API server beside it that has nothing of these, asked in the same rounds.
 */
export const admission: Bench = async (say) => {
  await buildKyverno();
  const plain = await Cluster.up({ name: 'bench-plain', isBare: true, owned: true });
  try {
    const cluster = await Cluster.up({ name: 'bench-admission', owned: true });
    try {
      return await compare(cluster, plain, say);
    } finally {
      await cluster.down();
    }
  } finally {
    await plain.down();
  }
};

async function compare(cluster: Cluster, plain: Cluster, say: (text: string) => void): Promise<Result[]> {
  const [creator, beside] = [new Creator(cluster), new Creator(plain)];
  const least = {
    what: 'an API server beside it, with nothing of it',
    run: () => beside.create(elsewhere, 'none'),
  };
  const memory: Row[] = [];
  const phase = async (name: string, scenarios: readonly Scenario[]): Promise<Result> => {
    say(name);
    const rows = await inRounds(least, scenarios);
    memory.push({ what: `API server, ${name}`, figures: await memoryOfApiServer(cluster) });
    return { bench: 'admission', setting: `${settingOf(cluster)}: ${name}`, rows };
  };
  try {
    await prepare(cluster, plain);
    const results = [
      await phase('no policy', [
        { what: 'no policy in the cluster', run: () => creator.create(elsewhere, 'none') },
      ]),
    ];
    await declare(cluster);
    results.push(await phase(`${policies} policies of each sort`, ofOurs(creator)));
    memory.push(...(await rowsOfControllers(cluster, 'beside policies')));
    await declareTeams(cluster);
    results.push(await phase(`${ofNamespaces} policies of namespaces, 100 of the cluster`, ofOurs(creator)));
    await cluster.kubectl('delete', 'namespaces', '-l', ofTeam, '--timeout=300s');
    await changeByWebhook(cluster);
    for (const { namespace } of places)
      await until('the webhook is asked', () => isAnswered(() => creator.create(namespace, 'one')));
    results.push(await phase('the same policies by the webhook', ofOurs(creator)));
    memory.push(...(await rowsOfControllers(cluster, 'which is the webhook too')));
    await takeAway(cluster);
    const pid = await startPeer(cluster);
    await until('Kyverno is asked', () => isAnswered(() => creator.create(theirs, 'one')));
    results.push(await phase(`${policies} rules of Kyverno`, ofTheirs(creator)));
    memory.push({ what: 'Kyverno', figures: memoryOf(pid) });
    return [...results, { bench: 'admission', setting: 'memory, after the rows above', rows: memory }];
  } finally {
    await Promise.all([creator.close(), beside.close()]);
  }
}

const settingOf = ({ kubernetes }: Cluster) =>
  `create of a pod, server-side dry run, one after the other, Kubernetes ${kubernetes}, ${rounds} rounds, each in an order of its own; +: more than an API server beside it`;

async function prepare(cluster: Cluster, plain: Cluster): Promise<void> {
  await plain.kubectl('create', 'namespace', elsewhere);
  // Nobody is there who would make it, and no pod is taken without it.
  await plain.kubectl('create', 'serviceaccount', 'default', '-n', elsewhere);
  await cluster.install();
  for (const namespace of [elsewhere, theirs, 'bench-others', ...places.map((place) => place.namespace)]) {
    await cluster.kubectl('create', 'namespace', namespace);
    await until('its service account is there', async () => {
      return (
        (await cluster.exec(['kubectl', 'get', 'serviceaccount', 'default', '-n', namespace])).code === 0
      );
    });
  }
}

function ofOurs(creator: Creator): Scenario[] {
  return [
    {
      what: `${policies} + ${policies} policies, none selects the namespace`,
      run: () => creator.create(elsewhere, 'none'),
    },
    ...places.flatMap(({ what, namespace }) =>
      matches.map(({ label, matching }) => ({
        what: `${what}: ${matching} of ${policies} match`,
        run: () => creator.create(namespace, label),
      })),
    ),
  ];
}

function ofTheirs(creator: Creator): Scenario[] {
  return matches.map(({ label, matching }) => ({
    what: `ClusterPolicy: ${matching} of ${policies} match`,
    run: () => creator.create(theirs, label),
  }));
}

async function rowsOfControllers(cluster: Cluster, role: string): Promise<Row[]> {
  const all = await memoryOfControllers(cluster);
  return all.map((figures) => ({ what: `keepalive-controller, ${role}`, figures }));
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
  // An overlay brings the limits of deploy/, and half of the policies of a namespace would be one too many.
  const metadata = { name: 'keepalive-settings', namespace: 'keepalive-system' };
  const widened = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: labSettings };
  try {
    const folder = overlays.write('webhook', {
      components: ['webhook'],
      patches: [{ patch: JSON.stringify(widened) }],
    });
    await cluster.install({ folder, isLoaded: true });
  } finally {
    overlays.remove();
  }
  await cluster.kubectl('delete', 'mutatingadmissionpolicies,mutatingadmissionpolicybindings', '-l', ours);
  await untilReady(cluster);
}

/** All that would be asked beside Kyverno, or take processors from it. */
async function takeAway(cluster: Cluster): Promise<void> {
  await cluster.kubectl('delete', 'kap,ckap', '--all', '-A');
  await cluster.kubectl('delete', 'mutatingwebhookconfigurations', '-l', ours);
  await cluster.kubectl('delete', 'deployments,daemonsets', '-A', '-l', ours, '--cascade=foreground');
  const kinds = 'mutatingwebhookconfigurations,mutatingadmissionpolicies,mutatingadmissionpolicybindings';
  const left = await cluster.kubectl('get', kinds, '-o', 'name');
  if (left !== '') throw new Error(`Kyverno would not be alone: there is still ${left}`);
}

/** Its process number. */
async function startPeer(cluster: Cluster): Promise<number> {
  const { pid } = await startKyverno(cluster);
  const rules = documentsOf(keepaliveRules(theirs));
  await until('Kyverno takes its rules', async () => {
    const { code } = await cluster.exec(['kubectl', 'apply', '--server-side', '-f', '-'], { stdin: rules });
    return code === 0;
  });
  return pid;
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
  await untilReady(cluster);
}

const ofNamespaces =
  places.filter(({ kind }) => kind === 'KeepalivePolicy').length * policies + teams.count * teams.each;
const ofTeam = 'bench=team';

/** None selects a pod: what they cost, they cost by being there. */
async function declareTeams(cluster: Cluster): Promise<void> {
  const client = apiOf(cluster);
  const names = Array.from({ length: teams.count }, (_, index) => `bench-team-${index}`);
  await each(names, 8, async (namespace) => {
    const [label = '', value = ''] = ofTeam.split('=');
    const metadata = { name: namespace, labels: { [label]: value } };
    await client.create(builtIn.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
    for (let index = 0; index < teams.each; index += 1)
      await client.create(
        { group: GROUP, version: VERSION, plural: plurals.KeepalivePolicy, namespace },
        {
          ...{ apiVersion: `${GROUP}/${VERSION}`, kind: 'KeepalivePolicy' },
          metadata: { name: `policy-${index}`, namespace },
          spec: {
            podSelector: { matchLabels: { crowd: `of-team-${index}` } },
            path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: 90 }],
          },
        },
      );
  });
  await client.close();
  await untilReady(cluster);
}

async function untilReady(cluster: Cluster): Promise<void> {
  for (const kind of [['kap', '-A'], ['ckap']])
    await cluster.kubectl('wait', ...kind, '--all', '--for=condition=Ready', '--timeout=300s');
}
