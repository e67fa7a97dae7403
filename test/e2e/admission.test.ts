import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import type { Sysctl } from '../../src/policy/sysctl.ts';
import { sysctls } from '../support/builder.ts';
import { Bench, ckap, isReady, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-admission';
const keepaliveOf = (list: readonly Sysctl[]) => list.map(({ value }) => value).join('/');

beforeAll(() => bench.namespace(namespace));
afterAll(async () => {
  await bench.cluster.kubectl('delete', 'ckap', '--all');
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
});

describe('a new pod', () => {
  test('is covered as soon as its policy is Ready, and says so', async () => {
    await bench.apply(kap(namespace, 'team', 90));
    await bench.status({ kind: 'kap', name: 'team', namespace });
    expect(await bench.dryRun(sleeper('first', namespace))).toEqual(sysctls(30, 10, 6));
  });

  test('is covered by a cluster policy as soon as that is Ready', async () => {
    await bench.apply(ckap('platform', 45));
    await bench.status({ kind: 'ckap', name: 'platform' });
    expect(await bench.dryRun(sleeper('second', namespace))).toEqual(sysctls(15, 5, 6));
  });

  test('runs with these values in its kernel', async () => {
    await bench.apply(sleeper('real', namespace));
    await bench.cluster.kubectl(
      'wait',
      '-n',
      namespace,
      'pod/real',
      '--for=condition=Ready',
      '--timeout=30s',
    );
    const read = (name: string) =>
      bench.cluster.kubectl(
        'exec',
        '-n',
        namespace,
        'real',
        '--',
        'cat',
        `/proc/sys/net/ipv4/tcp_keepalive_${name}`,
      );
    expect(await Promise.all(['time', 'intvl', 'probes'].map(read))).toEqual(['15\n', '5\n', '6\n']);
  });

  test('of a RuntimeClass whose nodes are Windows is left alone, since the API server says so in its spec first', async () => {
    await bench.apply({
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'e2e-windows' },
      handler: 'runhcs-wcow-process',
      scheduling: { nodeSelector: { 'kubernetes.io/os': 'windows' } },
    });
    const pod = sleeper('by-class', namespace, { spec: { runtimeClassName: 'e2e-windows' } });
    expect(await bench.dryRun(pod)).toEqual([]);
    await bench.cluster.kubectl('delete', 'runtimeclass', 'e2e-windows');
  });

  test('of Windows that waits for a node is told as such, and not as covered', async () => {
    const labels = { os: 'windows' };
    const spec = { nodeSelector: { 'beta.kubernetes.io/os': 'windows' } };
    await bench.apply(
      kap(namespace, 'windows', 90, { podSelector: { matchLabels: labels } }),
      sleeper('windows', namespace, { labels, spec }),
    );
    const { pods, findings } = await bench.status(
      { kind: 'kap', name: 'windows', namespace },
      (status) => status.pods?.selected === 1,
    );
    expect(pods).toMatchObject({ declared: 0, skipped: 1, skippedBy: [{ reason: 'Windows', count: 1 }] });
    expect(findings).toMatchObject([{ reason: 'Windows', pod: 'windows' }]);
    await bench.cluster.kubectl('delete', '-n', namespace, 'kap/windows', 'pod/windows');
  });

  test('is left to the other policy once the stricter one is deleted', async () => {
    await bench.cluster.kubectl('delete', 'ckap', 'platform');
    await until('the cluster policy has stopped acting', async () => {
      return keepaliveOf(await bench.dryRun(sleeper('third', namespace))) === '30/10/6';
    });
  });

  test('is not touched in Audit mode', async () => {
    await bench.apply(kap(namespace, 'team', 90, { mode: 'Audit' }), ckap('audit', 45, { mode: 'Audit' }));
    await bench.status({ kind: 'ckap', name: 'audit' });
    await bench.status({ kind: 'kap', name: 'team', namespace });
    expect(
      await bench.exists('mutatingadmissionpolicybinding', 'audit.clusterkeepalivepolicy.keepalive.dev'),
    ).toBe(false);
    await until(
      'nothing is changed any more',
      async () => (await bench.dryRun(sleeper('fourth', namespace))).length === 0,
    );
  });
});

describe('while the operator is down', () => {
  const deployment = ['-n', 'keepalive-system', 'deployment/keepalive-controller'];
  const scale = async (replicas: number) => {
    await bench.cluster.kubectl('scale', ...deployment, `--replicas=${replicas}`);
    await bench.cluster.kubectl('rollout', 'status', ...deployment, '--timeout=60s');
    if (replicas > 0) return;
    await bench.cluster.kubectl(
      'wait',
      '-n',
      'keepalive-system',
      'pod',
      '--all',
      '--for=delete',
      '--timeout=60s',
    );
  };

  beforeAll(async () => {
    await bench.apply(kap(namespace, 'team', 90), ckap('platform', 45));
    await bench.status({ kind: 'kap', name: 'team', namespace });
    await bench.status({ kind: 'ckap', name: 'platform' });
    await scale(0);
  });
  afterAll(() => scale(2));

  test('new pods are covered all the same', async () => {
    expect(await bench.dryRun(sleeper('down', namespace))).toEqual(sysctls(15, 5, 6));
  });

  test('a cluster policy that is deleted stops acting at once, and its binding goes by ownership', async () => {
    await bench.cluster.kubectl('delete', 'ckap', 'platform');
    await until('the other policy binds', async () => {
      return keepaliveOf(await bench.dryRun(sleeper('down', namespace))) === '30/10/6';
    });
    await until('its binding is gone', async () => {
      return !(await bench.exists(
        'mutatingadmissionpolicybinding',
        'platform.clusterkeepalivepolicy.keepalive.dev',
      ));
    });
  });

  test('a policy that is deleted stops acting at once', async () => {
    await bench.cluster.kubectl('delete', 'kap', 'team', '-n', namespace);
    await until(
      'nothing is changed any more',
      async () => (await bench.dryRun(sleeper('down', namespace))).length === 0,
    );
  });
});

test('what a policy declares wins over nothing: three policies, in any order, give the strictest value of each key', async () => {
  await bench.apply(
    kap(namespace, 'a', 90, { keepalive: { timeSeconds: 20 } }),
    kap(namespace, 'b', 90, { keepalive: { intervalSeconds: 4 } }),
    ckap('c', 90, { keepalive: { probes: 2 } }),
  );
  for (const name of ['a', 'b']) await bench.status({ kind: 'kap', name, namespace }, isReady);
  await bench.status({ kind: 'ckap', name: 'c' });
  expect(keepaliveOf(await bench.dryRun(sleeper('all', namespace)))).toBe('20/4/2');
});
