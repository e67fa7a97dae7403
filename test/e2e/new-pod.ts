import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import type { Sysctl } from '../../src/policy/sysctl.ts';
import { sysctls } from '../support/builder.ts';
import type { Bench } from './shared.ts';
import { ckap, isReady, kap, sleeper } from './shared.ts';

export const keepaliveOf = (list: readonly Sysctl[]) => list.map(({ value }) => value).join('/');

/** What new pods are made with, by whatever changes pods in a cluster: in a namespace of these tests, without any policy before and after. */
export function newPodTests(benchOf: () => Bench, namespace: string): void {
  beforeAll(() => benchOf().namespace(namespace));
  afterAll(() => benchOf().cluster.kubectl('delete', 'kap,ckap', '--all', '-n', namespace));

  describe('a new pod', () => {
    test('is covered as soon as its policy is Ready, and says so', async () => {
      await benchOf().apply(kap(namespace, 'team', 90));
      await benchOf().status({ kind: 'kap', name: 'team', namespace });
      expect(await benchOf().dryRun(sleeper('first', namespace))).toEqual(sysctls(30, 10, 6));
    });

    test('is covered by a cluster policy as soon as that is Ready', async () => {
      await benchOf().apply(ckap('platform', 45));
      await benchOf().status({ kind: 'ckap', name: 'platform' });
      expect(await benchOf().dryRun(sleeper('second', namespace))).toEqual(sysctls(15, 5, 6));
    });

    test('runs with these values in its kernel', async () => {
      await benchOf().apply(sleeper('real', namespace));
      await benchOf().cluster.kubectl(
        'wait',
        '-n',
        namespace,
        'pod/real',
        '--for=condition=Ready',
        '--timeout=30s',
      );
      const read = (name: string) =>
        benchOf().cluster.kubectl(
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
      await benchOf().apply({
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: { name: 'e2e-windows' },
        handler: 'runhcs-wcow-process',
        scheduling: { nodeSelector: { 'kubernetes.io/os': 'windows' } },
      });
      const pod = sleeper('by-class', namespace, { spec: { runtimeClassName: 'e2e-windows' } });
      expect(await benchOf().dryRun(pod)).toEqual([]);
      await benchOf().cluster.kubectl('delete', 'runtimeclass', 'e2e-windows');
    });

    test('of Windows that waits for a node is told as such, and not as covered', async () => {
      const labels = { os: 'windows' };
      const spec = { nodeSelector: { 'beta.kubernetes.io/os': 'windows' } };
      await benchOf().apply(
        kap(namespace, 'windows', 90, { podSelector: { matchLabels: labels } }),
        sleeper('windows', namespace, { labels, spec }),
      );
      const { pods, findings } = await benchOf().status(
        { kind: 'kap', name: 'windows', namespace },
        (status) => status.pods?.selected === 1,
      );
      expect(pods).toMatchObject({ declared: 0, skipped: 1, skippedBy: [{ reason: 'Windows', count: 1 }] });
      expect(findings).toMatchObject([{ reason: 'Windows', pod: 'windows' }]);
      await benchOf().cluster.kubectl('delete', '-n', namespace, 'kap/windows', 'pod/windows');
    });

    test('is left to the other policy once the stricter one is deleted', async () => {
      await benchOf().cluster.kubectl('delete', 'ckap', 'platform');
      await until('the cluster policy has stopped acting', async () => {
        return keepaliveOf(await benchOf().dryRun(sleeper('third', namespace))) === '30/10/6';
      });
    });

    test('is not touched in Audit mode', async () => {
      await benchOf().apply(
        kap(namespace, 'team', 90, { mode: 'Audit' }),
        ckap('audit', 45, { mode: 'Audit' }),
      );
      await benchOf().status({ kind: 'ckap', name: 'audit' });
      await benchOf().status({ kind: 'kap', name: 'team', namespace });
      expect(
        await benchOf().exists(
          'mutatingadmissionpolicybinding',
          'audit.clusterkeepalivepolicy.keepalive.dev',
        ),
      ).toBe(false);
      await until(
        'nothing is changed any more',
        async () => (await benchOf().dryRun(sleeper('fourth', namespace))).length === 0,
      );
    });
  });

  test('what a policy declares wins over nothing: three policies, in any order, give the strictest value of each key', async () => {
    await benchOf().apply(
      kap(namespace, 'a', 90, { keepalive: { timeSeconds: 20 } }),
      kap(namespace, 'b', 90, { keepalive: { intervalSeconds: 4 } }),
      ckap('c', 90, { keepalive: { probes: 2 } }),
    );
    for (const name of ['a', 'b']) await benchOf().status({ kind: 'kap', name, namespace }, isReady);
    await benchOf().status({ kind: 'ckap', name: 'c' });
    expect(keepaliveOf(await benchOf().dryRun(sleeper('all', namespace)))).toBe('20/4/2');
  });
}
