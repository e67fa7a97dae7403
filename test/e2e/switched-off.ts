import { expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { until } from '../cluster/wait.ts';
import type { Bench, PolicyName } from './shared.ts';
import { condition, kap, sleeper, untouched } from './shared.ts';

/** How everything is switched off. */
export type Off = 'Audit' | 'AuditAndRestore';

interface SwitchedOff {
  readonly acting: Off;
  /** All that there are. */
  readonly policies: readonly PolicyName[];
  /** Whose pods they select. */
  readonly namespace: string;
}

const controller = ['-n', 'keepalive-system', 'deployment/keepalive-controller'];

export const isOff = (acting: Off) => (s: PolicyStatus) =>
  condition(s, 'Ready')?.reason === 'SwitchedOff' &&
  condition(s, 'Ready')?.message.includes(`acting: ${acting}`) === true;

export async function untilOff(bench: Bench, { acting, policies, namespace }: SwitchedOff): Promise<void> {
  await bench.settings({ acting });
  for (const name of policies) await bench.status(name, isOff(acting));
  await until(
    'new pods are left alone',
    async () => (await bench.dryRun(sleeper('new', namespace))).length === 0,
  );
}

async function scale({ cluster }: Bench, replicas: string): Promise<void> {
  await cluster.kubectl('scale', ...controller, `--replicas=${replicas}`);
  await cluster.kubectl('rollout', 'status', ...controller, '--timeout=120s');
}

/** Of whatever changes pods: it changes none while it is switched off, and nobody else does. */
export function leftAloneTests(benchOf: () => Bench, { acting, policies, namespace }: SwitchedOff): void {
  test('a policy that is made then does not act', async () => {
    const bench = benchOf();
    await bench.start(sleeper('aside', namespace, { spec: { nodeName: 'n1' } }));
    await bench.apply(kap(namespace, 'newcomer', 45));
    await bench.status({ kind: 'kap', name: 'newcomer', namespace }, isOff(acting));
    expect(await bench.dryRun(sleeper('new', namespace))).toEqual([]);
    expect(await bench.valuesIn('aside', namespace)).toBe(untouched);
    await bench.cluster.kubectl('delete', 'kap/newcomer', 'pod/aside', '-n', namespace);
  });

  test('a pod that is made after the controller was taken away is left alone as well', async () => {
    const bench = benchOf();
    const replicas = await bench.cluster.kubectl('get', ...controller, '-o', 'jsonpath={.spec.replicas}');
    await scale(bench, '0');
    try {
      for (const name of policies) {
        const isLeft = (s: PolicyStatus) => condition(s, 'Ready')?.reason === 'OperatorRemoved';
        expect((await bench.status(name, isLeft)).admission).toBe('Withheld');
      }
      await until('no controller is left', async () => {
        const pods = ['pods', '-n', 'keepalive-system', '-l', 'app.kubernetes.io/component=controller'];
        return (await bench.cluster.kubectl('get', ...pods, '-o', 'name')) === '';
      });
      expect(await bench.dryRun(sleeper('new', namespace))).toEqual([]);
      await bench.start(sleeper('orphan', namespace, { spec: { nodeName: 'n1' } }));
      // Its agent has read it, so that it had the occasion to change it.
      await bench.report('n1', ({ policies: told = [] }) =>
        told.some(({ findings }) => findings?.some(({ pod }) => pod === 'orphan')),
      );
      expect(await bench.valuesIn('orphan', namespace)).toBe(untouched);
    } finally {
      await scale(bench, replicas);
    }
    for (const name of policies) await bench.status(name, isOff(acting), 60_000);
    expect(await bench.valuesIn('orphan', namespace)).toBe(untouched);
    await bench.cluster.kubectl('delete', 'pod', 'orphan', '-n', namespace);
  });
}
