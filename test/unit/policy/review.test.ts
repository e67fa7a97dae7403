import { describe, expect, test } from '@jest/globals';

import type { PolicyKind } from '../../../src/api/group.ts';
import type { PolicyStatus } from '../../../src/api/status.ts';
import type { RawPod } from '../../../src/policy/pod.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import type { PatchOperation } from '../../../src/policy/review.ts';
import { answerPatch, answerTo, patchOf, readReview, uidIn } from '../../../src/policy/review.ts';
import { isSeen, seenIn, witnessPod } from '../../../src/policy/witness.ts';
import type { AdmissionCase } from '../../support/admission-cases.ts';
import type { CasePolicy } from '../../support/case-policy.ts';
import { admissionCases } from '../../support/admission-cases.ts';
import { namespace, nat, platform, sysctls } from '../../support/builder.ts';
import { patched } from '../../support/json-patch.ts';

const review = (object: object, request: object = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'r1',
    operation: 'CREATE',
    namespace: 'db',
    resource: { group: '', version: 'v1', resource: 'pods' },
    object,
    ...request,
  },
});

/** As the API server holds it once the controller has looked at it. */
function stored({ kind, spec }: CasePolicy, index: number, status: Partial<PolicyStatus> = {}): PolicyRecord {
  const metadata = { name: `p${index}`, uid: `u${index}`, resourceVersion: `${40 + index}` };
  const home = kind === 'KeepalivePolicy' ? { namespace: 'db' } : {};
  const record = policyRecord(kind, { metadata: { ...metadata, ...home }, spec });
  const { effective } = record.policy ?? {};
  return { ...record, status: { ...(effective === undefined ? {} : { effective }), ...status } };
}

function asked(object: object, policies: readonly PolicyRecord[], labels: Record<string, string> = {}) {
  const read = readReview(JSON.parse(JSON.stringify(review(object))));
  if (read === undefined) throw new Error('it is a review of a pod');
  return patchOf(read, { namespace: namespace('db', labels), policies });
}

function made({ pod, policies, namespaceLabels }: AdmissionCase): RawPod {
  const object = { metadata: { name: 'mongo-0', ...pod }, spec: pod.spec ?? {} };
  const records = policies.map((policy, index) => stored(policy, index));
  return patched<RawPod>(object, asked(object, records, namespaceLabels));
}

const team = {
  kind: 'KeepalivePolicy',
  spec: { podSelector: {}, path: nat(90) },
} satisfies CasePolicy;
const plain = { metadata: { name: 'mongo-0' }, spec: {} };
const { effective } = platform(90);

describe('the webhook makes of a new pod what admission policies make of it', () => {
  test.each(admissionCases.map((one) => [one.sentence, one] as const))('%s', (_sentence, one) => {
    expect(made(one).spec?.securityContext?.sysctls ?? []).toEqual(one.expected);
  });
});

test.each(admissionCases.map((one) => [one.sentence, one] as const))(
  'asked once more, it changes nothing: %s',
  (_sentence, one) => {
    const once = made(one);
    const records = one.policies.map((policy, index) => stored(policy, index));
    expect(asked(once, records, one.namespaceLabels)).toEqual([]);
  },
);

describe('the patch', () => {
  const values = { op: 'add', path: '/spec/securityContext/sysctls', value: sysctls() } as const;
  const notes = {
    'keepalive.dev/requirement': '90/30/10/-',
    'keepalive.dev/own-values': '-/-/-',
  };
  test.each<[string, object, PatchOperation[]]>([
    [
      'makes what is not there',
      plain,
      [
        { op: 'add', path: '/spec/securityContext', value: { sysctls: sysctls() } },
        { op: 'add', path: '/metadata/annotations', value: notes },
      ],
    ],
    [
      'leaves what is',
      { metadata: { annotations: { a: 'b' } }, spec: { securityContext: { runAsUser: 1 } } },
      [
        values,
        { op: 'add', path: '/metadata/annotations/keepalive.dev~1requirement', value: '90/30/10/-' },
        { op: 'add', path: '/metadata/annotations/keepalive.dev~1own-values', value: '-/-/-' },
      ],
    ],
    [
      'only notes what is asked of a pod whose values are enough',
      { metadata: {}, spec: { securityContext: { sysctls: sysctls(15, 15, 9) } } },
      [{ op: 'add', path: '/metadata/annotations', value: { 'keepalive.dev/requirement': '90/30/10/-' } }],
    ],
    [
      'takes back what was given to a pod that then became one of its node’s network',
      {
        metadata: { annotations: notes },
        spec: { hostNetwork: true, securityContext: { sysctls: sysctls() } },
      },
      [
        { op: 'add', path: '/spec/securityContext/sysctls', value: [] },
        { op: 'remove', path: '/metadata/annotations/keepalive.dev~1requirement' },
        { op: 'remove', path: '/metadata/annotations/keepalive.dev~1own-values' },
      ],
    ],
  ])('%s', (_sentence, object, expected) => {
    const operations = asked(object, [stored(team, 0)]);
    expect(operations).toEqual(expected);
    expect(() => patched(object, operations)).not.toThrow();
  });
});

const kinds = ['KeepalivePolicy', 'ClusterKeepalivePolicy'] as const;

/** A policy behind 90 s that somebody, or a newer version, has written more into than this one understands. */
function puzzling(kind: PolicyKind, more: object, status: object = { effective }): PolicyRecord {
  const metadata = { name: 'p', uid: 'u', ...(kind === 'KeepalivePolicy' ? { namespace: 'db' } : {}) };
  const spec = { podSelector: {}, path: nat(90), ...more };
  const record = policyRecord(kind, { metadata, spec, status });
  expect(record.policy).toBeUndefined();
  return record;
}

describe.each(kinds)('a %s that this version does not understand', (kind) => {
  const given = (more: object, pod: object = plain, labels?: Record<string, string>) =>
    asked(pod, [puzzling(kind, more)], labels);
  const labelled = { metadata: { name: 'mongo-0', labels: { app: 'mongo' } }, spec: {} };
  const ofMongo = { podSelector: { matchLabels: { app: 'mongo' } } };
  const first = (operations: readonly PatchOperation[]) => operations[0]?.value;

  test.each([
    ['a field', { newField: 1 }],
    ['a word of a mode', { mode: 'Strict' }],
    ['a word for open connections', { openConnections: 'Close' }],
    ['a field of a selector', { podSelector: { matchNames: ['x'] } }],
    ['a path without hops', { path: [] }],
  ])('goes on with what was understood before: %s', (_what, more) => {
    expect(first(given(more))).toEqual({ sysctls: sysctls() });
  });

  test('selects the pods that it says, and no others', () => {
    expect(given({ ...ofMongo, newField: 1 })).toEqual([]);
    expect(first(given({ ...ofMongo, newField: 1 }, labelled))).toEqual({ sysctls: sysctls() });
    const notMongo = { podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } };
    expect(given({ ...notMongo, newField: 1 }, labelled)).toEqual([]);
    expect(given({ podSelector: undefined, newField: 1 })).toEqual([]);
  });

  test('changes nothing in Audit', () => {
    expect(given({ mode: 'Audit', newField: 1 })).toEqual([]);
  });

  test('is withheld as any other', () => {
    expect(asked(plain, [puzzling(kind, { newField: 1 }, { effective, admission: 'Withheld' })])).toEqual([]);
  });
});

test('a word of an operator that is not known counts as it does in the CEL of admission', () => {
  const near = { podSelector: { matchExpressions: [{ key: 'app', operator: 'Near' }] } };
  const labelled = { metadata: { name: 'mongo-0', labels: { app: 'mongo' } }, spec: {} };
  expect(asked(plain, [puzzling('KeepalivePolicy', near)])).not.toEqual([]);
  expect(asked(labelled, [puzzling('KeepalivePolicy', near)])).toEqual([]);
});

test('of a cluster policy that is not understood namespaces are selected as it says', () => {
  const prod = { namespaceSelector: { matchLabels: { stage: 'prod' } }, newField: 1 };
  expect(asked(plain, [puzzling('ClusterKeepalivePolicy', prod)], { stage: 'test' })).toEqual([]);
  expect(asked(plain, [puzzling('ClusterKeepalivePolicy', prod)], { stage: 'prod' })).not.toEqual([]);
  const narrowed = { namespaceSelector: { matchNames: ['prod'] } };
  expect(asked(plain, [puzzling('ClusterKeepalivePolicy', narrowed)], { stage: 'test' })).toEqual([]);
});

describe('a pod is left as it is', () => {
  const refusal = {
    namespace: 'db',
    admission: 'Withheld',
    since: '',
    times: 1,
    refusedAt: '',
    by: 'Kyverno',
    message: '',
  } as const;
  test.each<[string, PolicyRecord]>([
    ['where nobody has looked at the policy yet', { ...stored(team, 0), status: {} }],
    ['where the controller withholds it', stored(team, 0, { admission: 'Withheld' })],
    ['where something else refuses the values in its namespace', stored(team, 0, { refusals: [refusal] })],
    ['where the policy audits', stored({ ...team, spec: { ...team.spec, mode: 'Audit' as const } }, 0)],
    ['where nothing of the policy was ever understood', puzzling('KeepalivePolicy', { newField: 1 }, {})],
    [
      'where it cannot be told whom the policy selects',
      puzzling('KeepalivePolicy', { podSelector: 'all', newField: 1 }),
    ],
  ])('%s', (_sentence, record) => {
    expect(asked(plain, [record])).toEqual([]);
    expect(asked(plain, [stored(team, 0)])).not.toEqual([]);
  });
});

test('a refusal of another namespace, or one that is tried again, withholds nothing', () => {
  const refusal = { since: '', times: 1, refusedAt: '', by: 'Kyverno', message: '' };
  const refusals = [
    { ...refusal, namespace: 'web', admission: 'Withheld' as const },
    { ...refusal, namespace: 'db', admission: 'Active' as const },
  ];
  expect(asked(plain, [stored(team, 0, { refusals })])).not.toEqual([]);
});

describe('what is no review of a new pod is none', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'AdmissionReview'],
    ['another version', { ...review(plain), apiVersion: 'admission.k8s.io/v1beta1' }],
    ['an update', review(plain, { operation: 'UPDATE' })],
    ['another kind', review(plain, { resource: { group: 'apps', version: 'v1', resource: 'deployments' } })],
    ['a part of a pod', review(plain, { subResource: 'binding' })],
    ['no namespace', review(plain, { namespace: '' })],
    ['a namespace that none is called', review(plain, { namespace: 'db,metadata.name!=db' })],
    ['one of a name that none has room for', review(plain, { namespace: 'x'.repeat(64) })],
    ['no pod', review(plain, { object: null })],
    ['labels that are no texts', review({ metadata: { labels: { a: 1 } }, spec: {} })],
  ])('%s', (_what, body) => {
    expect(readReview(body)).toBeUndefined();
  });

  test('while a namespace may have a name that long', () => {
    expect(readReview(review(plain, { namespace: 'x'.repeat(63) }))).toBeDefined();
  });

  test('but it is answered, where it says what to', () => {
    expect(uidIn(review(plain, { operation: 'UPDATE' }))).toBe('r1');
    expect(uidIn('AdmissionReview')).toBe('');
    expect(uidIn(review(plain, { uid: 'x'.repeat(254) }))).toBe('');
  });
});

test('an answer lets the pod be made, with the patch as the API server takes it', () => {
  expect(answerTo('r1', []).response).toEqual({ uid: 'r1', allowed: true });
  const operations: PatchOperation[] = [{ op: 'add', path: '/metadata/annotations', value: {} }];
  const { response } = answerTo('r1', operations) as { response: { patch?: string; patchType?: string } };
  expect(response.patchType).toBe('JSONPatch');
  expect(JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString())).toEqual(operations);
});

describe('a pod that asks what is known', () => {
  const record = stored(team, 0);
  const subject = { namespace: 'db', name: 'p0' };
  const pod = witnessPod([{ kind: 'KeepalivePolicy', nonce: 'n1', subject }]);
  const told = (request: object, known: PolicyRecord | undefined = record) => {
    const read = readReview(review(pod, request));
    if (read === undefined) throw new Error('it is a review of a pod');
    const answered = patched(
      pod,
      answerPatch(read, (kind, key) => (kind === 'KeepalivePolicy' && key === 'db/p0' ? known : undefined)),
    );
    return seenIn(answered, 'KeepalivePolicy');
  };

  test('is told of the policy that it names, in its version', () => {
    expect(isSeen({ uid: 'u0', resourceVersion: '40' }, told({ dryRun: true }))).toBe(true);
    expect(isSeen({ uid: 'u0', resourceVersion: '41' }, told({ dryRun: true }))).toBe(false);
  });

  test('is told nothing where that is not known, and where it is really made', () => {
    expect(told({ dryRun: true }, { ...record, resourceVersion: undefined })).toBeUndefined();
    expect(told({ dryRun: false })).toBeUndefined();
  });
});
