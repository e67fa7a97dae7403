import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { runOrThrow } from '../cluster/command.ts';
import { processesIn } from '../cluster/process.ts';
import { Bench, ckap, condition, isReady, kap, sleeper, untouched } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-report';
const agents = ['-n', 'keepalive-agent'];
const daemonSet = [...agents, 'daemonset/keepalive-agent'];
const remove = (...args: string[]) => bench.cluster.kubectl('delete', ...args);

/** Everything is looked at this often instead of every 30 s. */
const resync = (value: string) => bench.cluster.kubectl('set', 'env', ...daemonSet, `RESYNC_SECONDS${value}`);
const rolledOut = () => bench.cluster.kubectl('rollout', 'status', ...daemonSet, '--timeout=120s');

async function agentOn(node: string): Promise<string> {
  const found = await bench.cluster.kubectl(
    ...['get', 'pod', ...agents, `--field-selector=spec.nodeName=${node},status.phase=Running`],
    ...['-o', 'jsonpath={.items[0].metadata.name}'],
  );
  return found.trim();
}

/** As a program in the pod, or of the node, would that runs `sysctl -w`. */
async function setBack(pod: string, value: number): Promise<void> {
  const { metadata } = await bench.json<{ metadata: { uid: string } }>('pod', pod, '-n', namespace);
  const sandbox = processesIn(metadata.uid).find(({ argv }) => argv[0] === '/pause');
  const write = ['sysctl', '-qw', `net.ipv4.tcp_keepalive_time=${value}`];
  await runOrThrow(['nsenter', '-t', String(sandbox?.pid), '-n', '--', ...write]);
}

beforeAll(async () => {
  await bench.namespace(namespace);
  await bench.start(sleeper('fought-over', namespace, { spec: { nodeName: 'n1' } }));
  await resync('=2');
  await rolledOut();
  await bench.apply(kap(namespace, 'nat', 90));
  await bench.untilValuesIn('fought-over', namespace, '30/10/6');
});
afterAll(async () => {
  await remove('ckap', '--all');
  await remove('namespace', namespace, '--wait=false');
  await resync('-');
  await rolledOut();
});

describe('a value that something else sets back', () => {
  const policy = { kind: 'kap', name: 'nat', namespace } as const;

  test('is put right, counted, and told with what was seen', async () => {
    await setBack('fought-over', 600);
    await bench.untilValuesIn('fought-over', namespace, '30/10/6');
    const status = await bench.status(policy, (s) => s.findings?.[0]?.reason === 'Overridden');
    expect(status.pods).toMatchObject({ selected: 1, live: 1 });
    expect(status.findings?.[0]).toMatchObject({ pod: 'fought-over', node: 'n1' });
    expect(status.findings?.[0]?.message).toContain('set net.ipv4.tcp_keepalive_time to 600, once');
    expect((await bench.nodeKeepalive('n1')).status?.policies).toMatchObject([{ name: 'nat', repaired: 1 }]);
  });

  test('again and again is left for a while, and the status does not call it live', async () => {
    for (const value of [601, 602]) {
      await setBack('fought-over', value);
      await bench.untilValuesIn('fought-over', namespace, '30/10/6');
    }
    await setBack('fought-over', 603);
    const status = await bench.status(policy, (s) => s.pods?.live === 0);
    expect(await bench.valuesIn('fought-over', namespace)).toBe('603/10/6');
    expect(status.findings?.[0]).toMatchObject({ reason: 'Overridden', pod: 'fought-over' });
    expect(status.findings?.[0]?.message).toContain('left for a while');
  });
});

test('a node that changes nothing is not written about', async () => {
  const writes = async () => {
    const metrics = await bench.cluster.kubectl('get', '--raw', '/metrics');
    return [
      ...metrics.matchAll(
        /^apiserver_request_total\{.*resource="nodekeepalives".*verb="(?:APPLY|PATCH)".*\} (\d+)$/gm,
      ),
    ]
      .map(([, count]) => Number(count))
      .reduce((sum, count) => sum + count, 0);
  };
  // What is left for a while on n1 is put right a minute later, and told: nothing of it may be in the count.
  await remove('pod', 'fought-over', '-n', namespace);
  await bench.report('n1', ({ policies }) => policies === undefined);
  await bench.start(sleeper('marked', namespace, { spec: { nodeName: 'n2' } }));
  await bench.report('n2', ({ policies = [] }) => policies.some(({ live }) => live === 1));
  const before = await writes();
  // Events that every agent looks at, and that change nothing; the one change made after them is seen after them.
  await bench.cluster.kubectl('label', 'namespace', namespace, 'irrelevant=yes');
  await bench.cluster.kubectl('annotate', 'pod', 'marked', '-n', namespace, 'irrelevant=yes');
  await remove('pod', 'marked', '-n', namespace);
  await bench.report('n2', ({ policies }) => policies === undefined);
  expect(await writes()).toBe(before + 1);
});

describe('the token of an agent, stolen', () => {
  let token: string;
  beforeAll(async () => {
    const read = `process.stdout.write(require('fs').readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token'))`;
    token = await bench.cluster.kubectl('exec', ...agents, await agentOn('n1'), '--', 'node', '-e', read);
  });
  const ask = (by: string, ...args: string[]) => bench.askAs(by, undefined, ...args);
  const identity = { apiVersion: 'keepalive.dev/v1alpha1', kind: 'NodeKeepalive' };
  const forge = (by: string, node: string) =>
    bench.askAs(
      by,
      JSON.stringify({ ...identity, metadata: { name: node }, status: { agentVersion: 'forged' } }),
      ...[
        'apply',
        '--server-side',
        '--force-conflicts',
        '--subresource=status',
        '--validate=false',
        '-f',
        '-',
      ],
    );

  test('writes what is said of its own node, and of no other', async () => {
    const own = await forge(token, 'n1');
    expect([own.stderr, own.code]).toEqual(['', 0]);
    expect(own.stdout).toContain('serverside-applied');
    const other = await forge(token, 'n2');
    expect(other.code).not.toBe(0);
    expect(other.stderr).toContain(
      'an agent may write the NodeKeepalive of its own node only; this token is of node n1',
    );
    expect((await bench.nodeKeepalive('n2')).status?.agentVersion).not.toBe('forged');
  });

  test('makes and removes none for another node', async () => {
    const gone = await ask(token, 'delete', 'nka', 'n2');
    expect(gone.stderr).toContain('of its own node only');
    const foreign = { ...identity, metadata: { name: 'n9' } };
    const made = await bench.askAs(token, JSON.stringify(foreign), 'create', '--validate=false', '-f', '-');
    expect(made.stderr).toContain('of its own node only');
  });

  test('made for the account without a pod writes nothing at all', async () => {
    const unbound = (await bench.cluster.kubectl('create', 'token', 'keepalive-agent', ...agents)).trim();
    const { stderr, code } = await forge(unbound, 'n1');
    expect(code).not.toBe(0);
    expect(stderr).toContain('this token is of no node');
  });

  test.each([
    ['patch', 'keepalivepolicies.keepalive.dev'],
    ['patch', 'keepalivepolicies.keepalive.dev/status'],
    ['update', 'clusterkeepalivepolicies.keepalive.dev'],
    ['create', 'pods'],
    ['patch', 'pods'],
    ['delete', 'pods'],
    ['create', 'pods/exec'],
    ['get', 'pods/log'],
    ['get', 'secrets'],
    ['get', 'configmaps'],
    ['list', 'configmaps'],
    ['patch', 'nodes'],
    ['get', 'nodes/proxy'],
    ['update', 'daemonsets.apps'],
    ['create', 'validatingadmissionpolicies.admissionregistration.k8s.io'],
    ['deletecollection', 'nodekeepalives.keepalive.dev'],
  ])('may not %s %s', async (verb, resource) => {
    const [kind = '', subresource] = resource.split('/');
    const { stdout } = await ask(
      token,
      ...['auth', 'can-i', verb, kind, '-A', ...(subresource ? [`--subresource=${subresource}`] : [])],
    );
    expect(stdout.trim()).toBe('no');
  });
});

test('a node that is taken out of the DaemonSet gets its values back and is told of; the policy stays ready', async () => {
  await bench.apply(ckap('hosts', 90, { podSelector: undefined, nodes: { selector: {} } }));
  await bench.status({ kind: 'ckap', name: 'hosts' }, (s) => isReady(s) && s.hosts?.live === 3);
  const onlyTwo = { spec: { template: { spec: { nodeSelector: { agents: 'yes' } } } } };
  await bench.cluster.kubectl('label', 'node', 'n1', 'n2', 'agents=yes');
  await bench.cluster.kubectl('patch', ...daemonSet, '--type=merge', '-p', JSON.stringify(onlyTwo));
  const status = await bench.status(
    { kind: 'ckap', name: 'hosts' },
    (s) => s.nodes?.reporting === 2 && s.hosts?.live === 2,
    90_000,
  );
  expect(status).toMatchObject({
    nodes: { selected: 3, reporting: 2 },
    hosts: { selected: 3, live: 2, summary: '2/3' },
  });
  expect(status.findings).toMatchObject([{ reason: 'NodesWithoutAgents', node: 'n3' }]);
  expect(condition(status, 'Ready')?.status).toBe('True');
  await bench.untilValuesOf('n3', untouched);
  // It has been Ready since before: no transition in between.
  const back = { spec: { template: { spec: { nodeSelector: { agents: null } } } } };
  await bench.cluster.kubectl('patch', ...daemonSet, '--type=merge', '-p', JSON.stringify(back));
  await rolledOut();
  const again = await bench.status({ kind: 'ckap', name: 'hosts' }, (s) => s.hosts?.live === 3, 90_000);
  expect(again.findings).toBeUndefined();
  expect(condition(again, 'Ready')).toEqual(condition(status, 'Ready'));
  await bench.cluster.kubectl('label', 'node', 'n1', 'n2', 'agents-');
  await remove('ckap', 'hosts');
  for (const node of ['n1', 'n2', 'n3']) await bench.untilValuesOf(node, untouched);
});
