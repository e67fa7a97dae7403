import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { Overlays } from '../support/overlay.ts';
import { seenDuring } from '../support/seen-during.ts';
import { controllersOf } from '../e2e/controllers.ts';
import { Bench, ckap, kap, sleeper, untouched } from '../e2e/shared.ts';
import { isKeepalive, talker, timersAt } from '../e2e/talker.ts';

/** A cluster of its own, into which the product comes under other names and in other places. */
let cluster: Cluster;
let bench: Bench;
const overlays = new Overlays();
let isLoaded = false;

beforeAll(async () => {
  cluster = await Cluster.up({ name: 'e2e-overlay', nodes: 1, owned: true });
  bench = new Bench(cluster);
  await bench.start(sleeper('app', 'default', { spec: { nodeName: 'n1' } }));
});
afterAll(async () => {
  overlays.remove();
  await cluster.down();
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: { readonly template?: { readonly spec: object } };
}

async function render(folder: string): Promise<Manifest[]> {
  const text = await cluster.kubectl('kustomize', folder);
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

const everywhere = async () => [await bench.valuesIn('app', 'default'), await bench.valuesOf('n1')];
const untilEverywhere = (values: string) =>
  until(`pod and node hold ${values}`, async () => (await everywhere()).every((one) => one === values));

describe('the components of deploy/', () => {
  const podSpecOf = (objects: readonly Manifest[], kind: string) =>
    objects.find((object) => object.kind === kind)?.spec?.template?.spec;

  test('openshift: the agents may use its privileged constraints, the controller has no user of its own', async () => {
    const objects = await render(overlays.write('openshift', { components: ['openshift'] }));
    expect(objects).toContainEqual(
      expect.objectContaining({
        kind: 'RoleBinding',
        metadata: expect.objectContaining({ namespace: 'keepalive-agent' }) as unknown,
        roleRef: expect.objectContaining({ name: 'system:openshift:scc:privileged' }) as unknown,
        subjects: [{ kind: 'ServiceAccount', name: 'keepalive-agent', namespace: 'keepalive-agent' }],
      }),
    );
    expect(podSpecOf(objects, 'Deployment')).toMatchObject({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(podSpecOf(objects, 'Deployment')).not.toMatchObject({
      securityContext: { runAsUser: expect.anything() as unknown },
    });
  });

  test('controller-only: nothing of the agents, and nothing privileged', async () => {
    const objects = await render(overlays.write('controller-only', { components: ['controller-only'] }));
    expect(objects.map(({ kind }) => kind)).toContain('Deployment');
    expect(objects.filter(({ kind }) => kind === 'DaemonSet')).toEqual([]);
    expect(objects.filter(({ metadata }) => metadata.namespace === 'keepalive-agent')).toEqual([]);
    expect(objects.filter(({ metadata }) => metadata.name.startsWith('keepalive-agent'))).toEqual([]);
    expect(JSON.stringify(objects)).not.toContain('privileged');
  });

  test('chosen-nodes: agents on nodes with a label', async () => {
    const objects = await render(overlays.write('chosen-nodes', { components: ['chosen-nodes'] }));
    expect(podSpecOf(objects, 'DaemonSet')).toMatchObject({
      nodeSelector: { 'kubernetes.io/os': 'linux', 'keepalive.dev/agent': 'true' },
    });
  });
});

/** What OpenShift's restricted-v2 puts into a pod that names no user: one of its namespace's own, whom no image knows, in the group root. */
const asOpenShift = { runAsUser: 1_000_650_000, runAsGroup: 0, fsGroup: 1_000_650_000 };

describe('an installation whose controller is given a user by the cluster', () => {
  let folder: string;

  beforeAll(async () => {
    const spec = { template: { spec: { securityContext: asOpenShift } } };
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'any' }, spec };
    folder = overlays.write('openshift-user', {
      components: ['openshift'],
      patches: [{ target: { kind: 'Deployment' }, patch: JSON.stringify(deployment) }],
    });
    await cluster.install({ folder, isLoaded });
    isLoaded = true;
  });

  test('acts, as that user', async () => {
    await bench.apply(kap('default', 'team', 90), ckap('platform', 90, { nodes: { selector: {} } }));
    for (const policy of [
      { kind: 'kap', name: 'team', namespace: 'default' },
      { kind: 'ckap', name: 'platform' },
    ] as const)
      await bench.status(policy);
    const users = (await controllersOf(bench)).map(({ pid }) => {
      const [, real] = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      return Number(real);
    });
    expect(users).toEqual([asOpenShift.runAsUser, asOpenShift.runAsUser]);
    await untilEverywhere('30/10/6');
  });

  test('leaves everything as it was found', async () => {
    await cluster.kubectl('delete', 'ckap,kap', '-A', '--all');
    await untilEverywhere(untouched);
    await cluster.kubectl('delete', '-k', folder, '--timeout=90s');
    expect(await everywhere()).toEqual([untouched, untouched]);
  });
});

describe('an installation that reaches connections by the kernel alone', () => {
  let folder: string;

  beforeAll(async () => {
    folder = overlays.write('kernel-only', { components: ['kernel-only'] });
    await cluster.install({ folder, isLoaded });
    isLoaded = true;
    await bench.apply(kap('default', 'team', 90), ckap('platform', 90, { nodes: { selector: {} } }));
  });

  test('keeps values of pods and nodes all the same', async () => {
    await untilEverywhere('30/10/6');
  });

  test('gives new connections their values', async () => {
    const { connections } = await bench.report('n1', (report) => report.connections !== undefined);
    expect(connections?.by).toBe('BPF');
    const [server, client] = ['server', 'client'].map((name) => ({ name, namespace: 'default', node: 'n1' }));
    if (server === undefined || client === undefined) throw new Error('both are there');
    await bench.start(talker(server, ['queue', '7000']));
    const pods = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', 'default');
    await bench.start(talker(client, ['connect', pods.status.podIP, '7000', '--silent', '3600']));
    const timers = await until('they are connected', async () => {
      const found = [...(await timersAt(bench, server, '7000')).values()];
      return found.length > 0 && found;
    });
    expect(timers.every((timer) => isKeepalive(timer, 30))).toBe(true);
    await cluster.kubectl('delete', 'pod', 'server', 'client', '-n', 'default', '--grace-period=1');
  });

  test('says of open connections only what the kernel counts', async () => {
    const { connections } = await bench.report('n1', (report) => report.connections !== undefined);
    const counts = connections?.countedBy === 'BPF';
    expect(connections?.countedBy).toBe(counts ? 'BPF' : 'Nobody');
    const policy = await bench.status(
      { kind: 'kap', name: 'team', namespace: 'default' },
      ({ pods }) => pods?.live === 1,
    );
    expect(policy.connections === undefined).toBe(!counts);
  });

  test('leaves everything as it was found', async () => {
    await cluster.kubectl('delete', 'ckap,kap', '-A', '--all');
    await untilEverywhere(untouched);
    await cluster.kubectl('delete', '-k', folder, '--timeout=90s');
    expect(await everywhere()).toEqual([untouched, untouched]);
  });
});

describe.each<[how: string, own: readonly string[], write: () => string]>([
  ['under other names', [], () => overlays.write('renamed', { components: ['renamed'] })],
  [
    'in one namespace, with another DaemonSet name',
    ['platform'],
    () =>
      overlays.write('one-namespace', {
        components: ['one-namespace'],
        patches: [
          {
            target: { kind: 'DaemonSet' },
            patch: '- { op: replace, path: /metadata/name, value: keepalived-nodes }',
            options: { allowNameChange: true },
          },
        ],
      }),
  ],
])('an installation %s', (_how, own, write) => {
  let folder: string;
  let daemonSet: string[];

  beforeAll(async () => {
    folder = write();
    const found = (await render(folder)).find(({ kind }) => kind === 'DaemonSet')?.metadata;
    daemonSet = ['-n', found?.namespace ?? '', `daemonset/${found?.name}`];
    for (const name of own)
      await bench.namespace(name, { 'pod-security.kubernetes.io/enforce': 'privileged' });
    await cluster.install({ folder, isLoaded });
    isLoaded = true;
    await bench.apply(kap('default', 'team', 90), ckap('platform', 90, { nodes: { selector: {} } }));
    await untilEverywhere('30/10/6');
  });

  test('counts its agents', async () => {
    await bench.status({ kind: 'ckap', name: 'platform' }, (status) => status.hosts?.live === 1);
  });

  test('bounds what a namespaced policy may ask for, by its own settings', async () => {
    // The API server takes up a binding in its own time.
    await until('a timeout of 5 s is refused', async () => {
      const args = ['kubectl', 'apply', '--dry-run=server', '-f', '-'];
      const stdin = JSON.stringify(kap('default', 'too-short', 5));
      const { stderr, code } = await cluster.exec(args, { stdin });
      const words = ['may declare no idle timeout below 10 s', ...own.map((name) => `(ConfigMap ${name}/`)];
      return code !== 0 && words.every((one) => stderr.includes(one));
    });
  });

  test('keeps every value while its agents are restarted', async () => {
    const seen = await seenDuring(everywhere, async () => {
      await cluster.kubectl('rollout', 'restart', ...daemonSet);
      await cluster.kubectl('rollout', 'status', ...daemonSet, '--timeout=120s');
    });
    expect(seen).toEqual(['30/10/6']);
  });

  test('does not let an agent write what is another node’s', async () => {
    const [, namespace = ''] = daemonSet;
    const account = await cluster.kubectl(
      ...['get', ...daemonSet, '-o', 'jsonpath={.spec.template.spec.serviceAccountName}'],
    );
    const token = (await cluster.kubectl('create', 'token', account, '-n', namespace)).trim();
    const forged = { apiVersion: 'keepalive.dev/v1alpha1', kind: 'NodeKeepalive', metadata: { name: 'n2' } };
    const create = ['create', '--validate=false', '-f', '-'];
    const { stderr, code } = await bench.askAs(token, JSON.stringify(forged), ...create);
    expect(stderr).toContain('an agent may write the NodeKeepalive of its own node only');
    expect(code).not.toBe(0);
  });

  test('leaves everything as it was found, and the namespace that was there before', async () => {
    await cluster.kubectl('delete', 'ckap,kap', '-A', '--all');
    await untilEverywhere(untouched);
    await cluster.kubectl('delete', '-k', folder, '--timeout=90s');
    expect(await everywhere()).toEqual([untouched, untouched]);
    for (const name of own)
      expect(await cluster.kubectl('get', 'namespace', name, '-o', 'jsonpath={.status.phase}')).toBe(
        'Active',
      );
  });
});

test('several places in one namespace are refused by kustomize itself', async () => {
  await expect(render(overlays.write('conflict', { namespace: 'platform' }))).rejects.toThrow('ID conflict');
});

test.each([['namePrefix'], ['nameSuffix']])(
  '%s over everything ends the controller at once, with what to do instead',
  async (field) => {
    const folder = overlays.write(field, { [field]: field === 'namePrefix' ? 'acme-' : '-acme' });
    await cluster.kubectl('apply', '-k', folder);
    const log = () =>
      cluster.exec([
        ...['kubectl', 'logs', '-n', 'keepalive-system', '--tail=-1'],
        ...['-l', 'app.kubernetes.io/component=controller'],
      ]);
    await until(
      'the controller says why it does not go on',
      async () => (await log()).stdout.includes('is ours under another name'),
      { timeoutMs: 120_000, everyMs: 200 },
    );
    await cluster.kubectl('delete', '-k', folder, '--timeout=90s');
  },
);
