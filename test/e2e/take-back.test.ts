import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import { Bench, kap, sleeper } from './shared.ts';

/** What somebody else's mutation does to a pod after ours: the API server refuses hostNetwork beside these sysctls. */
const bench = new Bench();
const namespace = 'e2e-take-back';
const late = 'zz-late.example.org';
const apiVersion = 'admissionregistration.k8s.io/v1';

/** Named behind ours, so that it is applied after ours; it acts on pods that ask for it by a label. */
const lateMutation = {
  apiVersion,
  kind: 'MutatingAdmissionPolicy',
  metadata: { name: late },
  spec: {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'Never',
    matchConstraints: {
      objectSelector: { matchLabels: { late: 'host-network' } },
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
    mutations: [
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: { expression: 'Object{spec: Object.spec{hostNetwork: true}}' },
      },
    ],
  },
};
const binding = {
  apiVersion,
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: late },
  spec: { policyName: late },
};

interface Created {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly hostNetwork?: boolean;
    readonly securityContext?: { readonly sysctls?: object[] };
  };
}

beforeAll(async () => {
  await bench.namespace(namespace);
  await bench.apply(lateMutation, binding, kap(namespace, 'team', 90));
  await bench.status({ kind: 'kap', name: 'team', namespace });
  await until('the late mutation acts', async () => {
    const probe = sleeper('probe', 'default', { labels: { late: 'host-network' } });
    const { stdout } = await bench.cluster.exec(
      ['kubectl', 'create', '--dry-run=server', '-o', 'json', '-f', '-'],
      { stdin: JSON.stringify(probe) },
    );
    return (JSON.parse(stdout) as Created).spec.hostNetwork === true;
  });
});
afterAll(async () => {
  await bench.cluster.kubectl('delete', 'mutatingadmissionpolicy,mutatingadmissionpolicybinding', late);
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
});

test('a pod that is put on its node’s network after us starts, without our sysctls and without a trace of them', async () => {
  await bench.start(sleeper('late', namespace, { labels: { late: 'host-network' } }));
  const { metadata, spec } = await bench.json<Created>('pod', 'late', '-n', namespace);
  expect(spec.hostNetwork).toBe(true);
  expect(spec.securityContext?.sysctls).toBeUndefined();
  const ours = Object.keys(metadata.annotations ?? {}).filter((name) => name.startsWith('keepalive.dev/'));
  expect(ours).toEqual([]);
});

test('one that is not, keeps them', async () => {
  expect(await bench.dryRun(sleeper('usual', namespace))).toEqual(sysctls());
});
