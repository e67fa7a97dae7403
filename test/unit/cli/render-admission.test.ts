import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';

import type { NamespaceView, RawPod } from '../../../src/policy/pod.ts';
import { admit } from '../../../src/policy/admit.ts';
import { clusterPolicy, namespacedPolicy } from '../../../src/policy/policy.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../../../src/api/spec.ts';
import type { AdmissionCase } from '../../support/admission-cases.ts';
import type { CasePolicy } from '../../support/case-policy.ts';
import { admissionCases } from '../../support/admission-cases.ts';
import { heldValues, requirements } from '../../support/arbitrary.ts';
import { nat, sysctls } from '../../support/builder.ts';
import { keepalive } from '../../support/command-line.ts';
import { yaml } from './manifests.ts';

describe('what render puts is what admission would put', () => {
  const labels = { 'kubernetes.io/metadata.name': 'db' };

  function inputOf({ pod: { spec, ...metadata }, policies, namespaceLabels }: AdmissionCase): string {
    const kinds = policies.map(({ kind, spec: asked }, at) => ({
      apiVersion: 'keepalive.dev/v1alpha1',
      kind,
      metadata: { name: `p${at}`, ...(kind === 'KeepalivePolicy' ? { namespace: 'db' } : {}) },
      spec: asked,
    }));
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'db', labels: namespaceLabels ?? {} },
    };
    const settings = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'keepalive-settings' },
      data: { smallestIdleTimeoutSeconds: '2' },
    };
    const made = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'mongo-0', namespace: 'db', ...metadata },
      spec: spec ?? {},
    };
    return yaml(namespace, settings, ...kinds, made);
  }

  function sysctlsIn(text: string): unknown {
    const made = parseAllDocuments(text).at(-1)?.toJS() as RawPod;
    return made.spec?.securityContext?.sysctls ?? [];
  }

  // A note of admission in a template is the user's own, and what it says is not taken back.
  const cases = admissionCases.filter(
    ({ pod: { annotations = {} } }) => !('keepalive.dev/requirement' in annotations),
  );

  test.each(cases.map((one) => [one.sentence, one] as const))('%s', async (_sentence, one) => {
    const { code, stdout } = await keepalive(['render'], { stdin: inputOf(one) });
    expect(code).toBe(0);
    expect(sysctlsIn(stdout)).toEqual(one.expected);
    expect((await keepalive(['render'], { stdin: stdout })).stdout).toBe(stdout);
  });

  const policyOf = ({ kind, spec }: CasePolicy) =>
    kind === 'KeepalivePolicy'
      ? namespacedPolicy('db', 'p', keepalivePolicySpecSchema.parse(spec))
      : clusterPolicy('p', clusterKeepalivePolicySpecSchema.parse(spec));

  test('whatever a pod has and policies ask: admission changes nothing of what was rendered', async () => {
    const namespace: NamespaceView = { name: 'db', labels };
    await fc.assert(
      fc.asyncProperty(
        heldValues,
        fc.array(requirements, { minLength: 1, maxLength: 3 }),
        async (own, asked) => {
          const { timeSeconds, intervalSeconds, probes } = own;
          const has = {
            spec: { securityContext: { sysctls: sysctls(timeSeconds, intervalSeconds, probes) } },
          };
          const policies = asked.map(({ idleTimeoutSeconds, declared: keepaliveOf }): CasePolicy => ({
            kind: 'ClusterKeepalivePolicy',
            spec: { podSelector: {}, path: nat(idleTimeoutSeconds), keepalive: keepaliveOf },
          }));
          const { stdout } = await keepalive(['render'], {
            stdin: inputOf({ sentence: '', pod: has, policies, expected: [] }),
          });
          const raw = { metadata: { name: 'mongo-0', namespace: 'db' }, ...has };
          const admitted = admit(raw, namespace, policies.map(policyOf)).sysctls;
          expect(sysctlsIn(stdout)).toEqual(admitted);
          const after = { ...raw, spec: { securityContext: { sysctls: admitted } } };
          expect(admit(after, namespace, policies.map(policyOf)).sysctls).toEqual(admitted);
        },
      ),
      { numRuns: 100 },
    );
  });
});
