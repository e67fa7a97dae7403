import { Environment } from '@marcbachmann/cel-js';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../../../src/api/spec.ts';
import type { Triple } from '../../../src/api/triple.ts';
import { shorthand, tripleKeys } from '../../../src/api/triple.ts';
import { admissionPolicyOf } from '../../../src/policy/admission.ts';
import { admit } from '../../../src/policy/admit.ts';
import { requirementText } from '../../../src/policy/admitted.ts';
import { amended } from '../../../src/policy/enough.ts';
import type { NamespaceView, RawPod } from '../../../src/policy/pod.ts';
import { podView } from '../../../src/policy/pod.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { clusterPolicy, namespacedPolicy, selectsNamespace, selectsPod } from '../../../src/policy/policy.ts';
import { skipOf } from '../../../src/policy/skip.ts';
import type { PatchOperation } from '../../../src/policy/review.ts';
import type { AdmissionCase } from '../../support/admission-cases.ts';
import { admissionCases } from '../../support/admission-cases.ts';
import { heldValues, requirements } from '../../support/arbitrary.ts';
import { namespace, sysctls, team } from '../../support/builder.ts';
import { patched } from '../../support/json-patch.ts';

/** The language of the API server as far as admission needs it. The API server itself is asked by test/e2e/agreement.test.ts. */
const cel = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
});
const chosen = (list: bigint[], isBetter: (one: bigint, other: bigint) => boolean) =>
  list.reduce((one, other) => (isBetter(one, other) ? one : other));
cel.registerFunction('list.min(): int', (list: bigint[]) => chosen(list, (one, other) => one < other));
cel.registerFunction('list.max(): int', (list: bigint[]) => chosen(list, (one, other) => one > other));
cel.registerFunction('list.sum(): int', (list: bigint[]) => list.reduce((one, other) => one + other, 0n));
cel.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
  text.replaceAll(from, to),
);

/** Objects of the API server's types are maps here. */
const parsed = (expression: string) =>
  cel.parse(
    expression
      .replaceAll('Object.spec.securityContext{}', '{}')
      .replaceAll('JSONPatch{op: ', "{'op': ")
      .replaceAll(', path: ', ", 'path': ")
      .replaceAll(', value: ', ", 'value': "),
  );

// Both kinds have the same mutation.
const { variables: steps, mutations } = admissionPolicyOf('KeepalivePolicy').spec;
const variables = steps.map(({ name, expression }) => [name, parsed(expression)] as const);
const changes = mutations.map(({ jsonPatch }) => parsed(jsonPatch.expression));

/** CEL's int for every whole number. */
const celValue = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_key, member: unknown) =>
    Number.isInteger(member) ? BigInt(member as number) : member,
  );

/** What the API server makes of a pod by one policy; a variable is worked out when it is asked for. */
function mutated(pod: RawPod, { effective }: Policy, { labels }: NamespaceView): RawPod {
  const worked = {};
  const context = {
    object: celValue(pod),
    params: celValue({ status: { effective } }),
    namespaceObject: { metadata: { labels } },
    variables: worked,
  };
  const known = new Map<string, unknown>();
  const valueOf = (name: string, run: (given: object) => unknown) => {
    if (!known.has(name)) known.set(name, run(context));
    return known.get(name);
  };
  for (const [name, run] of variables)
    Object.defineProperty(worked, name, { enumerable: true, get: () => valueOf(name, run) });
  return changes.reduce((made, run) => patched(made, run(context) as PatchOperation[]), pod);
}

/** The conditions of a match, which are another matter. */
function reaches(policy: Policy, pod: RawPod, home: NamespaceView): boolean {
  const view = podView(pod);
  if (skipOf(view, home) !== undefined) return true;
  return policy.spec.mode === 'Enforce' && selectsNamespace(policy, home) && selectsPod(policy, view);
}

const what = ({ metadata: { annotations = {} } = {}, spec }: RawPod) => ({
  annotations,
  sysctls: spec?.securityContext?.sysctls ?? [],
});

const pod = ({ annotations, spec = {}, labels }: AdmissionCase['pod']): RawPod =>
  JSON.parse(
    JSON.stringify({ metadata: { name: 'mongo-0', namespace: 'db', labels, annotations }, spec }),
  ) as RawPod;

describe('the CEL of admission', () => {
  test.each(admissionCases.map((one) => [one.sentence, one] as const))(
    'makes of a pod what admit() does: %s',
    (_sentence, one) => {
      const home = namespace('db', one.namespaceLabels ?? {});
      const policies = one.policies.map((policy, at) =>
        policy.kind === 'KeepalivePolicy'
          ? namespacedPolicy('db', `p${at}`, keepalivePolicySpecSchema.parse(policy.spec))
          : clusterPolicy(`p${at}`, clusterKeepalivePolicySpecSchema.parse(policy.spec)),
      );
      const made = policies
        .filter((policy) => reaches(policy, pod(one.pod), home))
        .reduce((current, policy) => mutated(current, policy, home), pod(one.pod));
      expect(what(made).sysctls).toEqual(one.expected);
    },
  );

  /** Notes as whoever makes a pod may write them, and values that mostly are what was written from them. */
  const pods = fc
    .record({
      noted: fc.option(requirements, { nil: undefined }),
      had: heldValues,
      set: fc.subarray([...tripleKeys]),
      to: heldValues,
      isMeant: fc.boolean(),
    })
    .map(({ noted, had, set, to, isMeant }) => {
      const written: Triple = noted === undefined ? had : amended(had, noted);
      const changed = Object.fromEntries(isMeant ? [] : set.map((key) => [key, to[key]]));
      const { timeSeconds, intervalSeconds, probes } = { ...written, ...changed };
      const annotations: Record<string, string> =
        noted === undefined
          ? {}
          : {
              'keepalive.dev/requirement': requirementText(noted),
              'keepalive.dev/own-values': shorthand(had),
            };
      return pod({
        annotations,
        spec: { securityContext: { sysctls: sysctls(timeSeconds, intervalSeconds, probes) } },
      });
    });

  test('makes of any pod, by any policies one after the other, what admit() makes of it by each', () => {
    fc.assert(
      fc.property(pods, fc.array(requirements, { minLength: 1, maxLength: 3 }), (given, asked) => {
        const home = namespace();
        let current = given;
        for (const { idleTimeoutSeconds, declared } of asked) {
          const policy = team(idleTimeoutSeconds, { keepalive: declared });
          const made = mutated(current, policy, home);
          expect(what(made)).toEqual(admit(current, home, [policy]));
          current = made;
        }
      }),
      { numRuns: 500 },
    );
  });
});
