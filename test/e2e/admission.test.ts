import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import { keepaliveOf, newPodTests } from './new-pod.ts';
import { Bench, ckap, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-admission';

afterAll(async () => {
  await bench.cluster.kubectl('delete', 'ckap', '--all');
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
});

describe('by policies', () => {
  newPodTests(() => bench, namespace);
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
