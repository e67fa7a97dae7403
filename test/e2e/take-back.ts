import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import type { Bench } from './shared.ts';
import { kap, sleeper } from './shared.ts';

/** Named behind ours, so that it is applied after ours; it acts on pods that ask for it by a label. */
const late = 'zz-late.example.org';
const apiVersion = 'admissionregistration.k8s.io/v1';
const labels = { late: 'host-network' };
const objectSelector = { matchLabels: labels };
const newPods = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];

/** Somebody else's mutation, which puts a pod on its node's network: the API server refuses that beside our sysctls. */
export interface LateMutation {
  readonly start: (bench: Bench) => Promise<void>;
  readonly kinds: string;
}

export const latePolicy: LateMutation = {
  kinds: 'mutatingadmissionpolicy,mutatingadmissionpolicybinding',
  start: (bench) =>
    bench.apply(
      {
        apiVersion,
        kind: 'MutatingAdmissionPolicy',
        metadata: { name: late },
        spec: {
          failurePolicy: 'Fail',
          reinvocationPolicy: 'Never',
          matchConstraints: { objectSelector, resourceRules: newPods },
          mutations: [
            {
              patchType: 'ApplyConfiguration',
              applyConfiguration: { expression: 'Object{spec: Object.spec{hostNetwork: true}}' },
            },
          ],
        },
      },
      {
        apiVersion,
        kind: 'MutatingAdmissionPolicyBinding',
        metadata: { name: late },
        spec: { policyName: late },
      },
    ),
};

export const lateWebhook: LateMutation = {
  kinds: 'mutatingwebhookconfiguration',
  start: async (bench) => {
    const { lab } = bench.cluster;
    const [port, keys] = ['8421', join(lab.folder, 'pki')];
    const control = await lab.host('control');
    const program = join(import.meta.dirname, 'late-webhook.ts');
    await control.start([process.execPath, program, keys, port], {
      logFile: join(lab.folder, 'log/late-webhook.log'),
    });
    const caBundle = readFileSync(join(keys, 'ca.crt')).toString('base64');
    await bench.apply({
      apiVersion,
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: late },
      webhooks: [
        {
          name: late,
          clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle },
          ...{ failurePolicy: 'Fail', sideEffects: 'None', admissionReviewVersions: ['v1'] },
          ...{ reinvocationPolicy: 'Never', objectSelector, rules: newPods },
        },
      ],
    });
  },
};

interface Created {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly hostNetwork?: boolean;
    readonly securityContext?: { readonly sysctls?: object[] };
  };
}

/** What somebody else's mutation does to a pod after ours: in a namespace of these tests. */
export function takeBackTests(benchOf: () => Bench, namespace: string, { start, kinds }: LateMutation): void {
  describe('a pod that somebody else changes after us', () => {
    beforeAll(async () => {
      const bench = benchOf();
      await bench.namespace(namespace);
      await start(bench);
      await bench.apply(kap(namespace, 'team', 90));
      await bench.status({ kind: 'kap', name: 'team', namespace });
      await until('the late mutation acts', async () => {
        const { stdout, code } = await bench.cluster.exec(
          ['kubectl', 'create', '--dry-run=server', '-o', 'json', '-f', '-'],
          { stdin: JSON.stringify(sleeper('probe', 'default', { labels })) },
        );
        return code === 0 && (JSON.parse(stdout) as Created).spec.hostNetwork === true;
      });
    });
    afterAll(async () => {
      await benchOf().cluster.kubectl('delete', kinds, late);
      await benchOf().cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
    });

    test('and puts on its node’s network starts, without our sysctls and without a trace of them', async () => {
      await benchOf().start(sleeper('late', namespace, { labels }));
      const { metadata, spec } = await benchOf().json<Created>('pod', 'late', '-n', namespace);
      expect(spec.hostNetwork).toBe(true);
      expect(spec.securityContext?.sysctls).toBeUndefined();
      const ours = Object.keys(metadata.annotations ?? {}).filter((name) =>
        name.startsWith('keepalive.dev/'),
      );
      expect(ours).toEqual([]);
    });

    test('and does not put there keeps them', async () => {
      expect(await benchOf().dryRun(sleeper('usual', namespace))).toEqual(sysctls());
    });
  });
}
