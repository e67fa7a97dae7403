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

/** Somebody else's mutation, which puts a pod on its node's network, and labels it: the API server refuses that beside our sysctls. */
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
              applyConfiguration: {
                expression:
                  "Object{metadata: Object.metadata{labels: {'moved': 'yes'}}, spec: Object.spec{hostNetwork: true}}",
              },
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

/** What somebody else's mutation does to a pod after ours: in namespaces of these tests. */
export function takeBackTests(benchOf: () => Bench, namespace: string, { start, kinds }: LateMutation): void {
  /** Its policy selects no pod that was labelled by then. */
  const left = `${namespace}-left`;
  const unlabelled = { matchExpressions: [{ key: 'moved', operator: 'DoesNotExist' }] };

  describe('a pod that somebody else changes after us', () => {
    beforeAll(async () => {
      const bench = benchOf();
      for (const one of [namespace, left]) await bench.namespace(one);
      await start(bench);
      await bench.apply(kap(namespace, 'team', 90), kap(left, 'team', 90, { podSelector: unlabelled }));
      for (const one of [namespace, left]) await bench.status({ kind: 'kap', name: 'team', namespace: one });
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
      await benchOf().cluster.kubectl('delete', 'namespace', namespace, left, '--wait=false');
    });

    test.each([
      ['', namespace],
      [', also where our policy no longer selects it', left],
    ])(
      'and puts on its node’s network starts, without our sysctls or a trace of them%s',
      async (_, where) => {
        await benchOf().start(sleeper('late', where, { labels }));
        const { metadata, spec } = await benchOf().json<Created>('pod', 'late', '-n', where);
        expect(spec.hostNetwork).toBe(true);
        expect(spec.securityContext?.sysctls).toBeUndefined();
        const ours = Object.keys(metadata.annotations ?? {}).filter((name) =>
          name.startsWith('keepalive.dev/'),
        );
        expect(ours).toEqual([]);
      },
    );

    test('and does not put there keeps them', async () => {
      for (const one of [namespace, left])
        expect(await benchOf().dryRun(sleeper('usual', one))).toEqual(sysctls());
    });
  });
}
