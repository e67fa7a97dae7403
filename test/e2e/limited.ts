import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { Output } from '../cluster/command.ts';
import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import type { Bench } from './shared.ts';
import { condition, isReady, isStalled, kap, sleeper, untouched } from './shared.ts';

/** Somebody who may edit this one namespace. */
export class Tenant {
  readonly #benchOf: () => Bench;
  readonly #namespace: string;

  constructor(benchOf: () => Bench, namespace: string) {
    this.#benchOf = benchOf;
    this.#namespace = namespace;
  }

  async moveIn(): Promise<void> {
    const [bench, namespace] = [this.#benchOf(), this.#namespace];
    await bench.namespace(namespace);
    await bench.cluster.kubectl('create', 'serviceaccount', 'tenant', '-n', namespace);
    await bench.cluster.kubectl(
      ...['create', 'rolebinding', 'tenant', '-n', namespace, '--clusterrole=edit'],
      `--serviceaccount=${namespace}:tenant`,
    );
  }

  /** With these rights. */
  kubectl(...args: readonly string[]): Promise<Output> {
    return this.#run(args);
  }

  /** Empty where it was allowed. */
  async refusal(manifest: unknown, ...flags: readonly string[]): Promise<string> {
    const { stderr, code } = await this.#run(['apply', ...flags, '-f', '-'], JSON.stringify(manifest));
    return code === 0 ? '' : stderr;
  }

  #run(args: readonly string[], stdin?: string): Promise<Output> {
    const as = `--as=system:serviceaccount:${this.#namespace}:tenant`;
    return this.#benchOf().cluster.exec(['kubectl', as, ...args], stdin === undefined ? {} : { stdin });
  }
}

/** Of whatever changes pods: where a policy is beyond what its cluster allows, it changes none. */
export function limitedTests(benchOf: () => Bench, namespace: string): void {
  const tenant = new Tenant(benchOf, namespace);
  beforeAll(async () => {
    await tenant.moveIn();
  });
  afterAll(() => benchOf().cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

  describe('a policy that was stored before a limit', () => {
    const policy = { kind: 'kap', name: 'stored', namespace } as const;
    beforeAll(async () => {
      await benchOf().resetSettings('shipped');
      await benchOf().start(sleeper('running', namespace));
      await benchOf().apply(kap(namespace, 'stored', 90));
      await benchOf().status(policy);
      await benchOf().untilValuesIn('running', namespace, '30/10/6');
    });
    afterAll(() => benchOf().cluster.kubectl('delete', 'kap', '--all', '-n', namespace));

    test('acts no more: new pods, running pods, and its status says why', async () => {
      await benchOf().settings({ smallestIdleTimeoutSeconds: '120' });
      const status = await benchOf().status(policy, isStalled);
      expect(condition(status, 'Stalled')).toMatchObject({ reason: 'BeyondLimits' });
      expect(condition(status, 'Stalled')?.message).toContain('nat (90 s)');
      await until(
        'new pods are left alone',
        async () => (await benchOf().dryRun(sleeper('new', namespace))).length === 0,
      );
      await benchOf().untilValuesIn('running', namespace, untouched);
    });

    test('can still be labelled by its owner', async () => {
      const { stderr } = await tenant.kubectl('label', 'kap', 'stored', '-n', namespace, 'team=db');
      expect(stderr).toBe('');
    });

    test('acts again once it is allowed', async () => {
      await benchOf().settings({ smallestIdleTimeoutSeconds: '90' });
      await benchOf().status(policy, isReady);
      expect(await benchOf().dryRun(sleeper('new', namespace))).toEqual(sysctls(30, 10, 6));
      await benchOf().untilValuesIn('running', namespace, '30/10/6');
    });

    test('sets values and repairs no connection where namespaced policies may only observe', async () => {
      await benchOf().settings({ openConnections: 'Observe' });
      const status = await benchOf().status(policy, (s) => s.findings?.[0]?.reason === 'RepairNotAllowed');
      expect(isReady(status)).toBe(true);
      await until('one that asks for repair is refused', async () => {
        const said = await tenant.refusal(kap(namespace, 'repairs', 90), '--dry-run=server');
        return said.includes('spec.openConnections is Repair, which is the default');
      });
      expect(
        await tenant.refusal(
          kap(namespace, 'counts', 90, { openConnections: 'Observe' }),
          '--dry-run=server',
        ),
      ).toBe('');
      expect(await benchOf().valuesIn('running', namespace)).toBe('30/10/6');
    });
  });

  describe('more policies than a namespace may have', () => {
    const ofApp = (name: string) => kap(namespace, name, 90, { podSelector: { matchLabels: { app: name } } });
    const third = { kind: 'kap', name: 'third', namespace } as const;
    const podOfThird = (name: string) => sleeper(name, namespace, { labels: { app: 'third' } });
    beforeAll(async () => {
      await benchOf().resetSettings('shipped');
      await benchOf().settings({ policiesPerNamespace: '2' });
      for (const name of ['first', 'second']) {
        await benchOf().apply(ofApp(name));
        await benchOf().status({ kind: 'kap', name, namespace });
      }
    });
    afterAll(() => benchOf().cluster.kubectl('delete', 'kap', '--all', '-n', namespace));

    test('are stored, do not act, and say so', async () => {
      expect(await tenant.refusal(ofApp('third'))).toBe('');
      const status = await benchOf().status(third, isStalled);
      expect(condition(status, 'Stalled')).toMatchObject({ reason: 'TooManyPolicies' });
      expect(condition(status, 'Stalled')?.message).toContain(`namespace ${namespace} has 2 older ones`);
      await benchOf().start(podOfThird('early'));
      expect(await benchOf().valuesIn('early', namespace)).toBe(untouched);
    });

    test('act once an older one is gone', async () => {
      await benchOf().cluster.kubectl('delete', 'kap', 'first', '-n', namespace);
      await benchOf().status(third, isReady);
      expect(await benchOf().dryRun(podOfThird('late'))).toEqual(sysctls(30, 10, 6));
      await benchOf().untilValuesIn('early', namespace, '30/10/6');
    });
  });
}
