import { setTimeout } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { SETTINGS_LINGER_MS } from '../../src/api/settings.ts';
import { runOrThrow } from '../cluster/command.ts';
import { processesIn } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import { Bench, ckap, condition, isReady, kap, sleeper, untouched } from './shared.ts';
import type { Off } from './switched-off.ts';
import { isOff, leftAloneTests, untilOff } from './switched-off.ts';

const bench = new Bench();
const namespace = 'e2e-switch';
const port = '7000';
const team = { kind: 'kap', name: 'team', namespace } as const;
const hosts = { kind: 'ckap', name: 'hosts' } as const;
const daemonSet = ['-n', 'keepalive-agent', 'daemonset/keepalive-agent'];
/** Everything is looked at this often instead of every 30 s, and counted instead of every 60 s. */
const often = (resync: string, count: string) =>
  bench.cluster.kubectl('set', 'env', ...daemonSet, `RESYNC_SECONDS${resync}`, `COUNT_SECONDS${count}`);
const rolledOut = () => bench.cluster.kubectl('rollout', 'status', ...daemonSet, '--timeout=120s');

function talker(name: string, node: string, args: readonly string[]): ReturnType<typeof sleeper> {
  const pod = sleeper(name, namespace, { spec: { nodeName: node } });
  const [main] = pod.spec.containers;
  return {
    ...pod,
    spec: { ...pod.spec, containers: [{ ...main, command: ['idle', ...args] }] },
  } as ReturnType<typeof sleeper>;
}

let connect: string[];
const untilAllOff = (acting: Off) => untilOff(bench, { acting, policies: [team, hosts], namespace });

beforeAll(async () => {
  await bench.namespace(namespace);
  await often('=2', '=2');
  await rolledOut();
  await bench.start(talker('server', 'n1', ['serve', port]));
  const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', namespace);
  connect = ['connect', status.podIP, port, '--silent', '3600'];
  await bench.start(talker('early', 'n2', connect));
  await bench.apply(kap(namespace, 'team', 90), ckap('hosts', 90, { nodes: { selector: {} } }));
  await bench.status(team, (s) => isReady(s) && s.connections?.protected === 2);
  await bench.status(hosts, (s) => isReady(s) && s.hosts?.live === 3);
});
afterAll(async () => {
  await bench.resetSettings('lab');
  await bench.cluster.kubectl('delete', 'ckap', '--all');
  await bench.untilValuesOf('n2', '600/75/9');
  const host = await bench.cluster.lab.host('n2');
  await host.execOrThrow(['sysctl', '-qw', 'net.ipv4.tcp_keepalive_time=7200'], { cwd: '/' });
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
  await often('-', '-');
  await rolledOut();
});

describe('switched off, with values staying', () => {
  beforeAll(() => untilAllOff('Audit'));

  test('new pods start with the values of the kernel, and their sockets are only counted', async () => {
    await bench.start(talker('late', 'n3', connect));
    // Where nothing is to be given, sockets are looked at every 30 s, and the first look may come before the connection.
    const status = await bench.status(team, (s) => (s.connections?.exposed ?? 0) > 0, 75_000);
    expect(await bench.valuesIn('late', namespace)).toBe(untouched);
    const exposed = status.findings?.find(
      ({ reason, pod }) => reason === 'ExposedConnections' && pod === 'late',
    );
    expect(exposed?.message).toContain('the operator, switched on again, would give it keepalive');
    expect(status.findings?.find(({ reason }) => reason === 'NotEnforced')?.message).toContain(
      'the operator, switched on again, would set 30/10/6',
    );
  });

  test('running pods and nodes keep what they have, and what somebody sets back stays so', async () => {
    expect(await bench.valuesIn('early', namespace)).toBe('30/10/6');
    const host = await bench.cluster.lab.host('n2');
    await host.execOrThrow(['sysctl', '-qw', 'net.ipv4.tcp_keepalive_time=600'], { cwd: '/' });
    const { metadata } = await bench.json<{ metadata: { uid: string } }>('pod', 'early', '-n', namespace);
    const sandbox = processesIn(metadata.uid).find(({ argv }) => argv[0] === '/pause');
    const write = ['sysctl', '-qw', 'net.ipv4.tcp_keepalive_time=601'];
    await runOrThrow(['nsenter', '-t', String(sandbox?.pid), '-n', '--', ...write]);
    // Both have been seen, so whoever would put them right had the occasion.
    await bench.status(hosts, (s) => s.hosts?.live === 2);
    await bench.status(team, (s) => s.findings?.some(({ pod }) => pod === 'early') === true);
    expect(await bench.valuesOf('n2')).toBe('600/10/6');
    expect(await bench.valuesIn('early', namespace)).toBe('601/10/6');
  });

  test('an agent that starts then changes nothing either', async () => {
    await bench.cluster.kubectl('rollout', 'restart', ...daemonSet);
    await rolledOut();
    // One that is made anew is of a round that has ended.
    await bench.cluster.kubectl('delete', 'nka', 'n1', 'n2');
    for (const node of ['n1', 'n2']) {
      await until(`${node} reports anew`, () => bench.exists('nka', node));
      await bench.report(node, ({ host }) => host !== undefined);
    }
    expect(await bench.valuesOf('n2')).toBe('600/10/6');
    expect(await bench.valuesOf('n1')).toBe('30/10/6');
    expect(await bench.valuesIn('early', namespace)).toBe('601/10/6');
  });

  leftAloneTests(() => bench, { acting: 'Audit', policies: [team, hosts], namespace });

  /** As an uninstallation leaves them until they are told to end; and back. */
  test('agents that run on while all is taken away are not switched on by that, nor do they leave a report', async () => {
    const left = async () => [
      await bench.valuesIn('late', namespace),
      await bench.valuesIn('early', namespace),
      await bench.valuesOf('n2'),
    ];
    const before = await left();
    expect(before).toEqual([untouched, '601/10/6', '600/10/6']);
    const { metadata, ...set } = await bench.json<{ metadata: Record<string, unknown> }>(...daemonSet);
    await bench.cluster.kubectl('delete', 'configmap', 'keepalive-settings', '-n', 'keepalive-system');
    try {
      const gone = setTimeout(SETTINGS_LINGER_MS + 5000);
      // One that starts in between has not heard what it said.
      const ofNode = ['-n', 'keepalive-agent', '--field-selector=spec.nodeName=n2'];
      await bench.cluster.kubectl('delete', 'pods', ...ofNode);
      await bench.untilReady('keepalive-agent', '--all');
      expect(await left()).toEqual(before);
      await bench.cluster.kubectl('delete', ...daemonSet, '--cascade=orphan');
      await until(
        'no report is left',
        async () => (await bench.cluster.kubectl('get', 'nka', '-o', 'name')) === '',
      );
      await gone;
      expect(await left()).toEqual(before);
      await bench.untilReady('keepalive-agent', '--all');
    } finally {
      await bench.resetSettings('lab');
      await bench.settings({ acting: 'Audit' });
      const { name, namespace: home, labels, annotations } = metadata;
      await bench.apply({ ...set, metadata: { name, namespace: home, labels, annotations } });
    }
    for (const node of ['n1', 'n2']) await until(`${node} reports again`, () => bench.exists('nka', node));
    expect(await left()).toEqual(before);
    for (const name of [team, hosts]) await bench.status(name, isOff('Audit'));
  });
});

test('switched on again, everything acts', async () => {
  await bench.settings({ acting: null });
  await bench.status(team, (s) => isReady(s) && condition(s, 'Ready')?.reason === 'Enforced');
  expect(await bench.dryRun(sleeper('new', namespace))).toEqual(sysctls(30, 10, 6));
  for (const pod of ['early', 'late']) await bench.untilValuesIn(pod, namespace, '30/10/6');
  await bench.untilValuesOf('n2', '30/10/6');
  await bench.status(team, (s) => s.connections?.protected === 4);
});

test('switched off, with values going back, nothing of ours is left in kernels until it is switched on', async () => {
  await untilAllOff('AuditAndRestore');
  for (const pod of ['server', 'late']) await bench.untilValuesIn(pod, namespace, untouched);
  for (const node of ['n1', 'n3']) await bench.untilValuesOf(node, untouched);
  // What somebody else had set while it was off is what was found since.
  await bench.untilValuesIn('early', namespace, '601/75/9');
  await bench.untilValuesOf('n2', '600/75/9');
  await bench.settings({ acting: 'Enforce' });
  for (const pod of ['server', 'early', 'late']) await bench.untilValuesIn(pod, namespace, '30/10/6');
  for (const node of ['n1', 'n2', 'n3']) await bench.untilValuesOf(node, '30/10/6');
  await bench.status(hosts, (s) => isReady(s) && s.hosts?.live === 3);
});
