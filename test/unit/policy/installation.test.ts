import { describe, expect, test } from '@jest/globals';

import type { PolicyKind } from '../../../src/api/group.ts';
import { firstDifference } from '../../../src/policy/difference.ts';
import {
  admissionDifference,
  installationFor,
  staticAdmission,
  webhookAround,
  webhookInstallation,
} from '../../../src/policy/installation.ts';
import type { Homes } from '../../../src/policy/webhook.ts';
import { usualHomes, webhookConfiguration } from '../../../src/policy/webhook.ts';

const [policy] = staticAdmission.policies;
const [binding] = staticAdmission.bindings;
if (policy === undefined || binding === undefined) throw new Error('the manifests install both');

/** As Kubernetes 1.36 gives them back. */
const served = {
  policy: {
    ...policy,
    spec: {
      ...policy.spec,
      matchConstraints: {
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
        resourceRules: policy.spec.matchConstraints.resourceRules.map((rule) => ({ ...rule, scope: '*' })),
      },
    },
  },
  binding,
};
type AdmissionObject = Parameters<typeof admissionDifference>[0];
const differenceOf = (object: AdmissionObject & { readonly kind?: string }) =>
  admissionDifference(
    object,
    object.kind === binding.kind ? staticAdmission.bindings : staticAdmission.policies,
  );
const edited = (change: object) => ({ ...served.policy, spec: { ...served.policy.spec, ...change } });

describe('an admission object of the manifests', () => {
  test.each<[string, AdmissionObject]>([
    ['the policy', served.policy],
    ['the binding', served.binding],
    ['with a field that a newer API server fills in', edited({ evaluation: 'Strict' })],
    [
      'with labels and annotations of others',
      { ...served.policy, metadata: { ...policy.metadata, ...{ labels: {} } } },
    ],
    ['of somebody else', { metadata: { name: 'theirs' }, spec: { variables: [] } }],
  ])('is as it should be: %s', (_sentence, object) => {
    expect(differenceOf(object)).toBeUndefined();
  });

  const [condition] = policy.spec.matchConditions;
  test.each<[string, object, string]>([
    [
      'another condition',
      { matchConditions: [{ ...condition, expression: 'false' }] },
      'spec.matchConditions[0].expression',
    ],
    ['one more condition', { matchConditions: [condition, condition] }, 'spec.matchConditions'],
    ['no condition', { matchConditions: undefined }, 'spec.matchConditions'],
    ['a failure policy that refuses pods', { failurePolicy: 'Fail' }, 'spec.failurePolicy'],
    [
      'a selector that leaves pods out',
      {
        matchConstraints: {
          ...served.policy.spec.matchConstraints,
          objectSelector: { matchLabels: { app: 'x' } },
        },
      },
      'spec.matchConstraints.objectSelector.matchLabels',
    ],
    [
      'a rule that excludes',
      { matchConstraints: { ...served.policy.spec.matchConstraints, excludeResourceRules: [{}] } },
      'spec.matchConstraints.excludeResourceRules',
    ],
  ])('that was given %s differs there', (_sentence, change, field) => {
    expect(differenceOf(edited(change))).toEqual({ field, by: 'somebody' });
  });

  test.each<[string, object, string]>([
    [
      'narrowed to namespaces',
      { matchResources: { namespaceSelector: { matchLabels: { a: 'b' } } } },
      'spec.matchResources.namespaceSelector.matchLabels',
    ],
    [
      'narrowed to one namespace of policies',
      { paramRef: { ...binding.spec.paramRef, namespace: 'db' } },
      'spec.paramRef.namespace',
    ],
    [
      'made to refuse pods',
      { paramRef: { ...binding.spec.paramRef, parameterNotFoundAction: 'Deny' } },
      'spec.paramRef.parameterNotFoundAction',
    ],
  ])('a binding that was %s differs there', (_sentence, change, field) => {
    expect(differenceOf({ ...binding, spec: { ...binding.spec, ...change } })).toEqual({
      field,
      by: 'somebody',
    });
  });

  test('of other manifests is told from one that somebody edited', () => {
    const other = { ...edited({ variables: [] }), metadata: { ...policy.metadata, annotations: {} } };
    expect(differenceOf(other)).toEqual({ field: 'spec.variables', by: 'another version' });
  });
});

test('the labels of a selector are compared as labels, even where they are called like fields', () => {
  const labels = (value: object) => ({ matchLabels: value });
  expect(firstDifference(labels({ scope: '*' }), labels({}), 's')).toBe('s.matchLabels');
});

describe('what the manifests install', () => {
  const there = new Map([
    ['keepalivepolicy.keepalive.dev', {}],
    ['clusterkeepalivepolicy.keepalive.dev', {}],
  ]);
  const none = new Map<string, object>();
  const differs = { field: 'spec', by: 'somebody' as const };
  const changed = new Map([['keepalivepolicy.keepalive.dev', { differs }]]);
  const [ns, cluster] = [
    'MutatingAdmissionPolicy keepalivepolicy',
    'MutatingAdmissionPolicy clusterkeepalivepolicy',
  ];

  test.each<[PolicyKind, string, Parameters<typeof installationFor>[1], object]>([
    ['KeepalivePolicy', 'is complete', { policies: there, bindings: there }, { missing: [], differing: [] }],
    [
      'ClusterKeepalivePolicy',
      'is complete',
      { policies: there, bindings: none },
      { missing: [], differing: [] },
    ],
    [
      'KeepalivePolicy',
      'lacks both',
      { policies: none, bindings: none },
      {
        missing: [`${ns}.keepalive.dev`, 'MutatingAdmissionPolicyBinding keepalivepolicy.keepalive.dev'],
        differing: [],
      },
    ],
    [
      'ClusterKeepalivePolicy',
      'lacks its policy',
      { policies: none, bindings: none },
      { missing: [`${cluster}.keepalive.dev`], differing: [] },
    ],
    [
      'KeepalivePolicy',
      'was edited',
      { policies: changed, bindings: there },
      { missing: [], differing: [{ object: `${ns}.keepalive.dev`, ...differs }] },
    ],
    [
      'ClusterKeepalivePolicy',
      'was edited for the other kind',
      { policies: new Map([...there, ...changed]), bindings: changed },
      { missing: [], differing: [] },
    ],
  ])('for a %s: %s', (kind, _sentence, installed, expected) => {
    expect(installationFor(kind, installed)).toEqual(expected);
  });
});

describe('the configuration of the webhook', () => {
  const { webhook } = staticAdmission;
  /** As Kubernetes 1.35 gives it back, with an overlay's names and the certificates to trust. */
  const served = {
    ...webhook,
    webhooks: webhook.webhooks.map((one) => ({
      objectSelector: {},
      ...one,
      rules: one.rules.map((rule) => ({ ...rule, scope: '*' })),
      clientConfig: { caBundle: 'LS0t', service: { name: 'acme', namespace: 'platform', port: 443 } },
    })),
  };
  const differenceOf = (object: object) => admissionDifference({ ...served, ...object }, [webhook]);
  const [pods, witness] = served.webhooks;

  test('is as it should be wherever it leads and whoever is trusted there', () => {
    expect(differenceOf({})).toBeUndefined();
  });

  test.each<[string, object[], string]>([
    [
      'made to refuse pods',
      [{ ...pods, failurePolicy: 'Fail' }, { ...witness }],
      'webhooks[0].failurePolicy',
    ],
    [
      'narrowed',
      [{ ...pods, objectSelector: { matchLabels: { a: 'b' } } }, { ...witness }],
      'webhooks[0].objectSelector.matchLabels',
    ],
    ['cut down', [{ ...pods }], 'webhooks'],
  ])('that was %s differs there', (_sentence, webhooks, field) => {
    expect(differenceOf({ webhooks })).toEqual({ field, by: 'somebody' });
  });

  describe('to which a platform adds namespaces that it is not to be asked about', () => {
    const key = 'kubernetes.io/metadata.name';
    const autopilot = ['kube-system', 'gke-gmp-system', 'gke-managed-cim'];
    const notIn = (...values: string[]) => ({ key, operator: 'NotIn', values });
    const own = notIn('kube-system', 'keepalive-system', 'keepalive-agent');
    const asking = (matchExpressions: object[], ofWitness: object[] = []) =>
      differenceOf({
        webhooks: [
          { ...pods, namespaceSelector: { matchExpressions } },
          {
            ...witness,
            namespaceSelector: { matchLabels: { [key]: 'keepalive-system' }, matchExpressions: ofWitness },
          },
        ],
      })?.field;
    const expressions = 'webhooks[0].namespaceSelector.matchExpressions';

    test.each<[string, object[], object[]]>([
      ['after those of ours', [own, notIn(...autopilot)], [notIn(...autopilot)]],
      ['before them', [notIn(...autopilot), own], []],
      ['among them', [notIn(...own.values, ...autopilot)], []],
    ])('is as it should be: %s', (_sentence, matchExpressions, ofWitness) => {
      expect(asking(matchExpressions, ofWitness)).toBeUndefined();
    });

    test.each<[string, object[], object[], string]>([
      ['one of ours is asked about', [notIn('kube-system'), notIn(...autopilot)], [], expressions],
      ['another label leaves them out', [own, { ...own, key: 'team' }], [], expressions],
      ['a label of theirs leaves them out', [own, { key: 'a', operator: 'DoesNotExist' }], [], expressions],
      ['only some are asked about', [own, { ...own, operator: 'In' }], [], expressions],
      [
        'the question is not asked either',
        [own],
        [notIn('keepalive-system')],
        'webhooks[1].namespaceSelector.matchExpressions',
      ],
    ])('differs where %s', (_sentence, matchExpressions, ofWitness, field) => {
      expect(asking(matchExpressions, ofWitness)).toBe(field);
    });
  });

  test('is all that either kind of policy needs', () => {
    const object = 'MutatingWebhookConfiguration pods.keepalive.dev';
    const differs = { field: 'webhooks', by: 'somebody' as const };
    expect(webhookInstallation(undefined)).toEqual({ missing: [object], differing: [] });
    expect(webhookInstallation({})).toEqual({ missing: [], differing: [] });
    expect(webhookInstallation({ differs })).toEqual({ missing: [], differing: [{ object, ...differs }] });
  });

  test('leaves out what the cluster itself and the operator are made of', () => {
    const [pods] = staticAdmission.webhook.webhooks;
    expect(pods?.namespaceSelector).toEqual({
      matchExpressions: [
        {
          key: 'kubernetes.io/metadata.name',
          operator: 'NotIn',
          values: ['kube-system', 'keepalive-system', 'keepalive-agent'],
        },
      ],
    });
  });

  test('is compared with what it has to be where the operator was put', () => {
    const elsewhere = { controller: 'platform', agents: 'platform' };
    const { metadata } = staticAdmission.webhook;
    const differs = (there: Homes, wanted: Homes) =>
      admissionDifference({ metadata, webhooks: webhookConfiguration(there).webhooks }, [
        webhookAround(wanted),
      ]);
    expect(differs(elsewhere, elsewhere)).toBeUndefined();
    expect(differs(usualHomes, usualHomes)).toBeUndefined();
    expect(differs(usualHomes, elsewhere)?.field).toBe(
      'webhooks[0].namespaceSelector.matchExpressions[0].values[1]',
    );
  });
});
