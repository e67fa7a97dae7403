import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { nodeFolder } from '../cluster/components.ts';
import { staticPodsFolder } from '../cluster/node-files.ts';
import { processesIn } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import { Bench, ckap, condition, kap, sleeper, untouched } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-agent';
const on = (node: string, name: string, extra: { labels?: Record<string, string>; spec?: object } = {}) =>
  sleeper(name, namespace, { ...extra, spec: { nodeName: node, ...extra.spec } });
const values = (pod: string, expected: string, container?: string) =>
  bench.untilValuesIn(pod, namespace, expected, container);
const remove = (...args: string[]) => bench.cluster.kubectl('delete', ...args);
const untilGivenNothing = (pod: ReturnType<typeof sleeper>) =>
  until('admission gives nothing any more', async () => (await bench.dryRun(pod)).length === 0);

beforeAll(() => bench.namespace(namespace));
afterAll(async () => {
  await remove('ckap', '--all');
  await remove('namespace', namespace, '--wait=false');
});

describe('pods that run when a policy comes', () => {
  beforeAll(async () => {
    await bench.start(
      on('n1', 'plain'),
      on('n2', 'strict', { spec: { securityContext: { sysctls: sysctls(5, 75, 9) } } }),
      on('n3', 'users', { spec: { hostUsers: false } }),
      on('n1', 'skipped', { labels: { 'keepalive.dev/skip': 'true' } }),
      on('n2', 'db', { labels: { app: 'db' } }),
    );
  });

  test('get its values without a restart; what is stricter stays, what asks to be left alone is', async () => {
    await bench.apply(kap(namespace, 'nat', 90));
    await values('plain', '30/10/6');
    await values('strict', '5/10/9');
    await values('users', '30/10/6');
    await values('db', '30/10/6');
    expect(await bench.valuesIn('skipped', namespace)).toBe(untouched);
    const status = await bench.status({ kind: 'kap', name: 'nat', namespace }, (s) => s.pods?.live === 4);
    expect(status).toMatchObject({
      pods: { selected: 5, live: 4, skipped: 1, summary: '4/5' },
      nodes: { selected: 3, reporting: 3 },
      findings: [{ reason: 'SkipLabel', pod: 'skipped' }],
    });
  });

  test('follow it when it changes, and the strictest where there are two', async () => {
    await bench.apply(kap(namespace, 'nat', 45));
    await values('plain', '15/5/6');
    await bench.apply(kap(namespace, 'db-only', 18, { podSelector: { matchLabels: { app: 'db' } } }));
    await values('db', '6/2/6');
    await remove('kap', 'db-only', '-n', namespace);
    await values('db', '15/5/6');
    await bench.apply(kap(namespace, 'nat', 90));
    await values('plain', '30/10/6');
  });

  test('are left as they are by an audit, and told of', async () => {
    await bench.apply(kap(namespace, 'nat', 90, { mode: 'Audit' }));
    await values('plain', untouched);
    await values('strict', '5/75/9');
    await bench.status(
      { kind: 'kap', name: 'nat', namespace },
      (s) =>
        s.findings?.some(({ pod, reason }) => pod === 'plain' && reason === 'NotEnforced') === true &&
        s.pods?.live === 0,
    );
    await bench.apply(kap(namespace, 'nat', 90));
    await values('plain', '30/10/6');
  });

  test('follow their own labels and those of their namespace', async () => {
    await bench.cluster.kubectl('label', 'pod', 'plain', '-n', namespace, 'keepalive.dev/skip=true');
    await values('plain', untouched);
    await bench.cluster.kubectl('label', 'pod', 'plain', '-n', namespace, 'keepalive.dev/skip-');
    await values('plain', '30/10/6');
    await bench.apply(ckap('by-namespace', 18, { namespaceSelector: { matchLabels: { tier: 'data' } } }));
    await bench.status({ kind: 'ckap', name: 'by-namespace' });
    expect(await bench.valuesIn('plain', namespace)).toBe('30/10/6');
    await bench.cluster.kubectl('label', 'namespace', namespace, 'tier=data');
    await values('plain', '6/2/6');
    await bench.cluster.kubectl('label', 'namespace', namespace, 'tier-');
    await values('plain', '30/10/6');
    await remove('ckap', 'by-namespace');
  });

  test('have their own values back when it goes', async () => {
    await remove('kap', 'nat', '-n', namespace);
    for (const pod of ['plain', 'users', 'db', 'skipped']) await values(pod, untouched);
    await values('strict', '5/75/9');
  });
});

describe('with a policy that admission cannot bring to a pod', () => {
  beforeAll(() => bench.apply(kap(namespace, 'nat', 90)));
  afterAll(() => remove('kap', 'nat', '-n', namespace));

  test('an init container that runs already is covered', async () => {
    await remove('kap', 'nat', '-n', namespace);
    const pod = on('n1', 'with-init');
    const [main] = pod.spec.containers;
    const init = { ...main, name: 'init' };
    const withInit = { ...pod, spec: { ...pod.spec, initContainers: [init] } };
    await untilGivenNothing(withInit);
    await bench.apply(withInit);
    await until('it runs', async () => {
      const { status } = await bench.json<{
        status: { initContainerStatuses?: { state: { running?: object } }[] };
      }>('pod', 'with-init', '-n', namespace);
      return status.initContainerStatuses?.[0]?.state.running !== undefined;
    });
    await bench.apply(kap(namespace, 'nat', 90));
    await values('with-init', '30/10/6', 'init');
  });

  test('a pod that gets a new sandbox is covered again, and has its own values back', async () => {
    await remove('kap', 'nat', '-n', namespace);
    await untilGivenNothing(on('n2', 'restarted'));
    await bench.start(on('n2', 'restarted'));
    await bench.apply(kap(namespace, 'nat', 90));
    await values('restarted', '30/10/6');
    const { metadata } = await bench.json<{ metadata: { uid: string } }>('pod', 'restarted', '-n', namespace);
    const sandbox = processesIn(metadata.uid).find(({ argv }) => argv[0] === '/pause');
    process.kill(sandbox?.pid ?? 0, 'SIGKILL');
    await until('it has a new sandbox', () =>
      processesIn(metadata.uid).some(({ argv, pid }) => argv[0] === '/pause' && pid !== sandbox?.pid),
    );
    await until('its container runs again', async () => {
      const { code } = await bench.cluster.exec([
        ...['kubectl', 'exec', 'restarted', '-n', namespace, '--', 'true'],
      ]);
      return code === 0;
    });
    await values('restarted', '30/10/6');
    await remove('kap', 'nat', '-n', namespace);
    await values('restarted', untouched);
    await bench.apply(kap(namespace, 'nat', 90));
  });

  test('a static pod, which the API has only a copy of, is covered', async () => {
    const file = join(staticPodsFolder(nodeFolder(bench.cluster.lab.folder, 'n3')), 'static.json');
    const pod = sleeper('static', namespace);
    writeFileSync(file, JSON.stringify(pod));
    await until('its copy runs', async () => {
      const { stdout } = await bench.cluster.exec([
        ...['kubectl', 'get', 'pod', 'static-n3', '-n', namespace, '-o', 'jsonpath={.status.phase}'],
      ]);
      return stdout === 'Running';
    });
    await values('static-n3', '30/10/6');
    rmSync(file);
  });

  test('in a namespace that pins Pod Security to before the sysctls were allowed, pods are covered too', async () => {
    const pinned = 'e2e-agent-pinned';
    await bench.namespace(pinned, {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/enforce-version': 'v1.28',
    });
    await bench.apply(kap(pinned, 'nat', 90));
    await bench.start(sleeper('pinned', pinned));
    await bench.untilValuesIn('pinned', pinned, '30/10/6');
    const status = await bench.status(
      { kind: 'kap', name: 'nat', namespace: pinned },
      (s) => s.pods?.live === 1,
    );
    expect(status.pods).toMatchObject({ selected: 1, declared: 0, live: 1, skipped: 0 });
    await remove('namespace', pinned, '--wait=false');
  });
});

test('a pod in which a virtual machine runs is live, and its policy not Covered: nobody reads its guest', async () => {
  const guests = 'e2e-agent-guest';
  await bench.namespace(guests);
  const { metadata, spec } = sleeper('virt-launcher-vm', guests, {
    labels: { 'kubevirt.io': 'virt-launcher' },
  });
  const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'vm', uid: 'vm-uid' };
  const launcher = {
    ...{ apiVersion: 'v1', kind: 'Pod', spec },
    metadata: {
      ...metadata,
      annotations: { 'kubevirt.io/domain': 'vm' },
      ownerReferences: [{ ...owner, controller: true }],
    },
  };
  await bench.apply(kap(guests, 'nat', 90), launcher);
  const status = await bench.status(
    { kind: 'kap', name: 'nat', namespace: guests },
    (now) => condition(now, 'Covered')?.reason === 'GuestNotReached',
  );
  expect(condition(status, 'Covered')?.status).toBe('Unknown');
  expect(status.pods).toMatchObject({ selected: 1, live: 1 });
  expect(status.findings).toMatchObject([{ reason: 'GuestNotReached', pod: 'virt-launcher-vm' }]);
  await remove('namespace', guests, '--wait=false');
});

describe('the nodes themselves', () => {
  afterAll(() => bench.cluster.kubectl('label', 'node', 'n1', 'n2', 'n3', 'pool-'));

  test('get the values where a cluster policy selects them, and pods of their network with them', async () => {
    await bench.cluster.kubectl('label', 'node', 'n1', 'n2', 'pool=a');
    await bench.start(on('n1', 'host-pod', { labels: { app: 'host' }, spec: { hostNetwork: true } }));
    await bench.apply(
      ckap('hosts', 90, {
        podSelector: { matchLabels: { app: 'host' } },
        nodes: { selector: { matchLabels: { pool: 'a' } } },
      }),
    );
    await bench.untilValuesOf('n1', '30/10/6');
    await bench.untilValuesOf('n2', '30/10/6');
    expect(await bench.valuesOf('n3')).toBe(untouched);
    expect(await bench.valuesIn('host-pod', namespace)).toBe('30/10/6');
    const status = await bench.status({ kind: 'ckap', name: 'hosts' }, (s) => s.hosts?.live === 2);
    expect(status).toMatchObject({
      hosts: { selected: 2, live: 2, summary: '2/2' },
      nodes: { selected: 2, reporting: 2 },
      pods: { selected: 1, live: 1, skipped: 0 },
    });
    const { host } = await bench.report('n1', (report) => report.host?.now?.timeSeconds === 30);
    expect(host).toEqual({
      now: { timeSeconds: 30, intervalSeconds: 10, probes: 6 },
      wanted: { timeSeconds: 30, intervalSeconds: 10, probes: 6 },
      found: { timeSeconds: 7200, intervalSeconds: 75, probes: 9 },
    });
  });

  test('are left as they were when the label, or the policy, goes', async () => {
    await bench.cluster.kubectl('label', 'node', 'n2', 'pool-');
    await bench.untilValuesOf('n2', untouched);
    await remove('ckap', 'hosts');
    await bench.untilValuesOf('n1', untouched);
  });

  test('keep what somebody else has set since', async () => {
    await bench.apply(ckap('hosts', 90, { nodes: { selector: {} } }));
    await bench.untilValuesOf('n3', '30/10/6');
    const host = await bench.cluster.lab.host('n3');
    await host.sysctl({ 'net.ipv4.tcp_keepalive_time': 20 });
    await remove('ckap', 'hosts');
    await bench.untilValuesOf('n3', '20/75/9');
    await host.sysctl({ 'net.ipv4.tcp_keepalive_time': 7200 });
    await bench.untilValuesOf('n1', untouched);
  });
});

describe('forty pods', () => {
  const crowd = 'e2e-agent-crowd';
  // Waited for, and with a grace that makes the API server wait for the kubelets: while so many end, whatever comes next has no processor.
  afterAll(() => remove('namespace', crowd), 300_000);

  test('that start while a policy comes are all covered', async () => {
    await bench.namespace(crowd);
    const names = Array.from({ length: 40 }, (_, at) => `crowd-${at}`);
    const spec = { terminationGracePeriodSeconds: 1 };
    await bench.apply(...names.map((name) => sleeper(name, crowd, { spec })));
    await bench.apply(kap(crowd, 'nat', 90));
    const status = await bench.status(
      { kind: 'kap', name: 'nat', namespace: crowd },
      (s) => s.pods?.live === 40,
      240_000,
    );
    expect(status.pods).toMatchObject({ selected: 40, live: 40, summary: '40/40' });
    expect(status.findingsTotal).toBeUndefined();
  }, 300_000);
});
