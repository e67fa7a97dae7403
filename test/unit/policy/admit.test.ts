import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../../../src/api/spec.ts';
import type { Triple } from '../../../src/api/triple.ts';
import { kernelDefaults, shorthand, tripleKeys } from '../../../src/api/triple.ts';
import { admit } from '../../../src/policy/admit.ts';
import { parseRequirement, requirementText } from '../../../src/policy/admitted.ts';
import { amend, meets } from '../../../src/policy/enough.ts';
import type { Requirement } from '../../../src/policy/requirement.ts';
import { together } from '../../../src/policy/requirement.ts';
import type { RawPod } from '../../../src/policy/pod.ts';
import { declaredTriple } from '../../../src/policy/sysctl.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { clusterPolicy, namespacedPolicy } from '../../../src/policy/policy.ts';
import type { AdmissionCase } from '../../support/admission-cases.ts';
import type { CasePolicy } from '../../support/case-policy.ts';
import { admissionCases } from '../../support/admission-cases.ts';
import { heldValues, requirements } from '../../support/arbitrary.ts';
import { behind, namespace, platform, rawPod, sysctls, team } from '../../support/builder.ts';
import { notes } from '../../support/noted-cases.ts';

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
  ).sysctls;
}

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((first, at) => permutations(list.toSpliced(at, 1)).map((rest) => [first, ...rest]));
}

const metadata = { metadata: { name: 'mongo-0', namespace: 'db' } };
const plainCase: AdmissionCase = { sentence: '', pod: {}, policies: [], expected: [] };
const declaring = ({ timeSeconds, intervalSeconds, probes }: Triple) => ({
  spec: { securityContext: { sysctls: sysctls(timeSeconds, intervalSeconds, probes) } },
});

describe('the sysctls of a new pod', () => {
  test.each(admissionCases.map((one) => [one.sentence, one] as const))('%s', (_sentence, one) => {
    expect(created(one, (policies) => policies)).toEqual(one.expected);
    expect(created(one, (policies) => policies.reverse())).toEqual(one.expected);
  });

  /** As the API server does: one policy after the other, each on what the one before left. */
  function oneByOne({ pod, namespaceLabels = {} }: AdmissionCase, policies: readonly Policy[]) {
    return policies.reduce<RawPod>(
      (current, policy) => {
        const { sysctls: list, annotations } = admit(current, namespace('db', namespaceLabels), [policy]);
        const securityContext = { ...current.spec?.securityContext, sysctls: list };
        return { metadata: { ...current.metadata, annotations }, spec: { ...current.spec, securityContext } };
      },
      { metadata: { name: 'mongo-0', namespace: 'db', ...pod }, spec: pod.spec ?? {} },
    );
  }

  test.each(
    admissionCases.filter(({ policies }) => policies.length > 1).map((one) => [one.sentence, one] as const),
  )('are the same whichever policy comes first: %s', (_sentence, one) => {
    for (const order of permutations(one.policies.map(policyOf)))
      expect(oneByOne(one, order).spec?.securityContext?.sysctls ?? []).toEqual(one.expected);
  });

  test('are the same whichever of any policies comes first', () => {
    fc.assert(
      fc.property(heldValues, fc.array(requirements, { minLength: 1, maxLength: 3 }), (own, asked) => {
        const declared = declaring(own);
        const policies = asked.map(({ idleTimeoutSeconds, declared: keepalive }, at) =>
          team(idleTimeoutSeconds, { keepalive }, `p${at}`),
        );
        const whole = admit({ ...metadata, ...declared }, namespace(), policies).sysctls;
        for (const order of permutations(policies)) {
          const one = { ...plainCase, pod: declared };
          expect(oneByOne(one, order).spec?.securityContext?.sysctls).toEqual(whole);
        }
      }),
    );
  });

  test.each<[string, Record<string, string>]>([
    ['own values that would be enough', { 'keepalive.dev/own-values': '1/1/9' }],
    ['a requirement that anything meets', { 'keepalive.dev/requirement': '432000/7200/75/-' }],
    ['both', { 'keepalive.dev/own-values': '1/1/9', 'keepalive.dev/requirement': '432000/7200/75/-' }],
    [
      'looser own values',
      { 'keepalive.dev/own-values': '99999/-/9', 'keepalive.dev/requirement': '90/30/10/-' },
    ],
    ['nonsense', { 'keepalive.dev/own-values': 'a/b', 'keepalive.dev/requirement': '1e3/30/10/-' }],
  ])('are no looser for what a tenant writes into annotations: %s', (_sentence, annotations) => {
    const pod = rawPod({ annotations, sysctls: sysctls(7200, 75, 9) });
    const starts = declaredTriple(admit(pod, namespace(), [team(90)]).sysctls);
    expect(starts && meets(starts, behind(90))).toBe(true);
  });

  test('say beside them what was asked, and what the pod itself had', () => {
    const { annotations } = admit(rawPod({ sysctls: sysctls(600, 75, 9).slice(0, 1) }), namespace(), [
      team(90, { keepalive: { intervalSeconds: 10 } }),
      platform(350),
    ]);
    expect(annotations).toEqual({
      'keepalive.dev/requirement': '90/30/10/-',
      'keepalive.dev/own-values': '600/-/-',
    });
  });

  test('that are enough are only noted, so that a policy that comes after knows what was asked', () => {
    expect(admit(rawPod({ sysctls: sysctls(15, 15, 9) }), namespace(), [team(90)]).annotations).toEqual({
      'keepalive.dev/requirement': '90/30/10/-',
    });
  });

  test('of which notes speak that do not fit them are judged as without, and the notes with them', () => {
    const stale = { 'keepalive.dev/requirement': '90/30/10/-', 'keepalive.dev/own-values': '-/-/-' };
    const noted = (list: ReturnType<typeof sysctls>) =>
      admit(rawPod({ annotations: stale, sysctls: list }), namespace(), [team(90)]).annotations;
    expect(noted(sysctls(10, 5, 9))).toEqual({ 'keepalive.dev/requirement': '90/30/10/-' });
    expect(noted(sysctls(7200, 5, 12))['keepalive.dev/own-values']).toBe('7200/5/12');
    expect(noted(sysctls())).toEqual(stale);
  });

  /** Notes as whoever makes a pod may write them, and values that mostly fit them but for one. */
  const notedPods = fc
    .record({
      noted: fc.option(requirements, { nil: undefined }),
      had: heldValues,
      set: fc.subarray([...tripleKeys]),
      to: heldValues,
      asked: requirements,
    })
    .map(({ noted, had, set, to, asked }) => {
      const written = noted && amend(had, noted);
      const have = { ...(written ?? had), ...Object.fromEntries(set.map((key) => [key, to[key]])) };
      const isOurs = written !== undefined && shorthand(written) === shorthand(have);
      const annotations = {
        ...(noted && { 'keepalive.dev/requirement': requirementText(noted) }),
        'keepalive.dev/own-values': shorthand(had),
      };
      return { annotations, have, isOurs, asked };
    });

  test('that are not what was written from any notes are never made looser, nor their probes fewer', () => {
    fc.assert(
      fc.property(notedPods, ({ annotations, have, isOurs, asked }) => {
        fc.pre(!isOurs);
        const { timeSeconds, intervalSeconds, probes } = have;
        const pod = rawPod({ annotations, sysctls: sysctls(timeSeconds, intervalSeconds, probes) });
        const made = admit(pod, namespace(), [team(asked.idleTimeoutSeconds, { keepalive: asked.declared })]);
        const starts = declaredTriple(made.sysctls);
        const { 'keepalive.dev/requirement': noted } = made.annotations;
        const requirement = parseRequirement(noted);
        if (starts === undefined || requirement === undefined) throw new Error('all of it can be read');
        // As if nobody had noted what it had before. What is declared stands in no note.
        const whole = together([requirement, asked]) as Requirement;
        expect(starts).toEqual(amend(have, whole) ?? have);
        for (const key of ['timeSeconds', 'intervalSeconds'] as const)
          if (have[key] > 0) expect(starts[key]).toBeLessThanOrEqual(have[key]);
        const isChosen = have.probes !== kernelDefaults.probes && requirement.declared.probes === undefined;
        if (isChosen) expect(starts.probes).toBeGreaterThanOrEqual(have.probes);
      }),
      { numRuns: 500 },
    );
  });

  test('are taken back also where no policy is left', () => {
    const given = { metadata: { ...metadata.metadata, annotations: notes('90/30/10/-', '600/-/-') } };
    const pod = { ...given, spec: { hostNetwork: true, securityContext: { sysctls: sysctls() } } };
    expect(admit(pod, namespace(), [])).toEqual({
      sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '600' }],
      annotations: {},
    });
  });

  test('are not changed by a policy of another namespace', () => {
    expect(admit(rawPod(), namespace(), [team(90, {}, 'team', 'elsewhere')]).sysctls).toEqual([]);
  });

  test('are not changed by a policy that has no values', () => {
    const valueless: Policy = { ...team(90), effective: undefined };
    expect(admit(rawPod(), namespace(), [valueless]).sysctls).toEqual([]);
    expect(admit(rawPod(), namespace(), [valueless, team(90)]).sysctls).toEqual(sysctls());
  });
});

test('the table can be sent as it is: plain data, each case with a name of its own', () => {
  expect(JSON.parse(JSON.stringify(admissionCases))).toEqual(admissionCases);
  expect(new Set(admissionCases.map(({ sentence }) => sentence)).size).toBe(admissionCases.length);
});
