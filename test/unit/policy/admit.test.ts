import { describe, expect, test } from '@jest/globals';

import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../../../src/api/spec.ts';
import { admit } from '../../../src/policy/admit.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { clusterPolicy, namespacedPolicy } from '../../../src/policy/policy.ts';
import type { AdmissionCase, CasePolicy } from '../../support/admission-cases.ts';
import { admissionCases } from '../../support/admission-cases.ts';
import { namespace, rawPod, sysctls, team } from '../../support/builder.ts';

function policyOf(policy: CasePolicy, index: number): Policy {
  return policy.kind === 'KeepalivePolicy'
    ? namespacedPolicy('db', `p${index}`, keepalivePolicySpecSchema.parse(policy.spec))
    : clusterPolicy(`p${index}`, clusterKeepalivePolicySpecSchema.parse(policy.spec));
}

/** As it is before the API server takes it: no name of a node, no phase. */
function created(
  { pod, policies, namespaceLabels = {} }: AdmissionCase,
  inOrder: (list: Policy[]) => Policy[],
) {
  const { labels = {}, annotations = {}, spec = {} } = pod;
  return admit(
    { metadata: { name: 'mongo-0', namespace: 'db', labels, annotations }, spec },
    namespace('db', namespaceLabels),
    inOrder(policies.map(policyOf)),
  );
}

describe('the sysctls of a new pod', () => {
  test.each(admissionCases.map((one) => [one.sentence, one] as const))('%s', (_sentence, one) => {
    expect(created(one, (policies) => policies)).toEqual(one.expected);
    expect(created(one, (policies) => policies.reverse())).toEqual(one.expected);
  });

  test('are not changed by a policy of another namespace', () => {
    expect(admit(rawPod(), namespace(), [team(90, {}, 'team', 'elsewhere')])).toEqual([]);
  });

  test('are not changed by a policy that has no values', () => {
    const valueless: Policy = { ...team(90), effective: undefined };
    expect(admit(rawPod(), namespace(), [valueless])).toEqual([]);
    expect(admit(rawPod(), namespace(), [valueless, team(90)])).toEqual(sysctls());
  });
});

test('the table can be sent as it is: plain data, each case with a name of its own', () => {
  expect(JSON.parse(JSON.stringify(admissionCases))).toEqual(admissionCases);
  expect(new Set(admissionCases.map(({ sentence }) => sentence)).size).toBe(admissionCases.length);
});
