import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
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
  await bench.apply(kap('default', 'team', 90), ckap('platform', 90, { nodes: { selector: {} } }));
  await untilEverywhere('30/10/6');
});
afterAll(() => cluster.down());

const untilEverywhere = (values: string) =>
  until(`pod and node hold ${values}`, async () =>
    [await bench.valuesIn('app', 'default'), await bench.valuesOf('n1')].every((one) => one === values),
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
