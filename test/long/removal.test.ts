import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, condition, isReady, kap, sleeper, untouched } from '../e2e/shared.ts';

/** A cluster of its own, from which parts of the product are taken while its kinds and policies stay. */
let cluster: Cluster;
let bench: Bench;
const policies = [
  { kind: 'kap', name: 'team', namespace: 'default' } as const,
  { kind: 'ckap', name: 'platform' } as const,
];
const agents = ['-n', 'keepalive-agent'];
const remove = (...args: string[]) => cluster.kubectl('delete', ...args, '--wait=false');

beforeAll(async () => {
  cluster = await Cluster.up({ name: 'e2e-removal', nodes: 1, owned: true });
  bench = new Bench(cluster);
  await bench.start(sleeper('app', 'default', { spec: { nodeName: 'n1' } }));
  await cluster.install();
  await declare();
  await untilEverywhere('30/10/6');
});
afterAll(() => cluster.down());

const declare = () =>
  bench.apply(kap('default', 'team', 90), ckap('platform', 90, { nodes: { selector: {} } }));

const untilEverywhere = (values: string) =>
  until(
    `pod and node hold ${values}`,
    async () =>
      [await bench.valuesIn('app', 'default'), await bench.valuesOf('n1')].every((one) => one === values),
    // Kinds that are not there are asked for again each half minute.
    { timeoutMs: 120_000 },
  );

test('agents that cannot be made are told of, in the words in which they were refused', async () => {
  const allow = (pods: string) =>
    cluster.kubectl(
      ...['patch', 'resourcequota', 'keepalive-agent', ...agents, '--type=merge', '-p'],
      JSON.stringify({ spec: { hard: { pods } } }),
    );
  await allow('0');
  await cluster.kubectl('delete', 'pods', ...agents, '--all');
  for (const policy of policies) {
    const status = await bench.status(policy, ({ findings = [] }) =>
      findings.some(({ message }) => message.includes('exceeded quota')),
    );
    expect(status.findings?.map(({ reason }) => reason)).toContain('AgentsMissing');
  }
  // Another was to follow: what was set stays.
  expect(await bench.valuesIn('app', 'default')).toBe('30/10/6');
  await allow('15k');
  await bench.status({ kind: 'ckap', name: 'platform' }, (s) => s.hosts?.live === 1, 120_000);
});

test('a controller that is taken away says so in each policy first, and one that comes back takes them up', async () => {
  await cluster.kubectl('delete', 'deployment', '-n', 'keepalive-system', 'keepalive-controller');
  for (const policy of policies) {
    const status = await bench.status(policy, (s) => condition(s, 'Ready')?.status === 'Unknown');
    expect(condition(status, 'Ready')).toMatchObject({ reason: 'OperatorRemoved' });
    expect(status.pods).toBeUndefined();
  }
  await until('its pods are gone', async () => {
    const pods = await cluster.kubectl('get', 'pods', '-n', 'keepalive-system', '-o', 'name');
    return pods === '';
  });
  for (const policy of policies)
    expect(condition((await bench.policy(policy)).status, 'Ready')?.reason).toBe('OperatorRemoved');
  // Admission reads its values from the status: it goes on.
  const { name, value } = (await bench.dryRun(sleeper('new', 'default')))[0] ?? {};
  expect([name, value]).toEqual(['net.ipv4.tcp_keepalive_time', '30']);
  await cluster.install({ isLoaded: true });
  for (const policy of policies) await bench.status(policy, isReady, 60_000);
});

test('values go back where rights go before the agents, and kinds and policies stay', async () => {
  const ofAgents = ['keepalive-agent', '--ignore-not-found'];
  await remove('clusterrolebinding', ...ofAgents);
  await remove('rolebinding', ...agents, ...ofAgents);
  await remove('serviceaccount', ...agents, ...ofAgents);
  await remove('daemonset', ...agents, ...ofAgents);
  await untilEverywhere(untouched);
  expect(await bench.exists('ckap', 'platform')).toBe(true);
});

test('values go back where the namespace of the agents goes with all that is in it', async () => {
  await cluster.install({ isLoaded: true });
  await untilEverywhere('30/10/6');
  await remove('namespace', 'keepalive-agent');
  await untilEverywhere(untouched);
  expect(await bench.exists('ckap', 'platform')).toBe(true);
});

const kinds = ['keepalivepolicies', 'clusterkeepalivepolicies', 'nodekeepalives'].map(
  (plural) => `${plural}.keepalive.dev`,
);
const workloads = [
  ['keepalive-agent', 'daemonset/keepalive-agent'],
  ['keepalive-system', 'deployment/keepalive-controller'],
] as const;
const ours = ['-A', '-l', 'app.kubernetes.io/name=keepalive-operator'];

/** Which pods of ours there are, and how often each was started. */
const programs = () => {
  const each = '{.metadata.uid} {.status.containerStatuses[*].restartCount}';
  return cluster.kubectl('get', 'pods', ...ours, '-o', `jsonpath={range .items[*]}${each}{"\\n"}{end}`);
};

test('values go back where the kinds go first, and who is left takes them up once they are there again', async () => {
  await until(
    'the namespace of the agents is gone',
    async () => !(await bench.exists('namespace', 'keepalive-agent')),
  );
  await cluster.install({ isLoaded: true });
  await declare();
  await untilEverywhere('30/10/6');
  for (const policy of policies) await bench.status(policy, isReady);
  const before = await programs();
  await remove('crd', ...kinds);
  await untilEverywhere(untouched);
  for (const [namespace, workload] of workloads)
    await until(`${workload} says what it misses`, async () => {
      const log = await cluster.kubectl('logs', '-n', namespace, workload, '--since=120s');
      const told = log.split('\n').filter((line) => line.includes('watch interrupted'));
      return told.some((line) => line.includes('keepalivepolicies') && line.includes('404'));
    });
  await cluster.kubectl('apply', '-k', join(repository, 'crds'));
  await bench.untilServed(...kinds);
  await declare();
  await untilEverywhere('30/10/6');
  for (const policy of policies) await bench.status(policy, isReady);
  expect(await programs()).toBe(before);
});

test('kinds that went first leave nothing for the rest to trip over', async () => {
  await remove('crd', ...kinds);
  await untilEverywhere(untouched);
  await cluster.kubectl('delete', '-k', join(repository, 'deploy'), '--ignore-not-found', '--timeout=120s');
  // As the page says: of policies that lived for seconds, garbage collection may miss the bindings.
  await cluster.kubectl('delete', 'mutatingadmissionpolicybindings', ...ours.slice(1));
  await until('nothing of ours is left', async () => {
    const listed = [
      'mutatingadmissionpolicies,mutatingadmissionpolicybindings,validatingadmissionpolicies',
      'validatingadmissionpolicybindings,clusterroles,clusterrolebindings,namespaces,crds,pods',
    ].join(',');
    const names = await cluster.kubectl('get', listed, '-A', '-o', 'name');
    return !names.includes('keepalive');
  });
});
