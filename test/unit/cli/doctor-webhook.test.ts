import { expect, test } from '@jest/globals';

import { known } from '../../../src/cli/cluster.ts';
import type { DoctorFacts } from '../../../src/cli/doctor-facts.ts';
import { admission } from '../../../src/cli/doctor-api.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { webhookAround } from '../../../src/policy/installation.ts';
import { usualHomes } from '../../../src/policy/webhook.ts';
import { fine, installedIn, objects, withoutAgents } from './diagnosed.ts';

/** As the controller leaves it, which writes whom to trust. */
function served({
  homes = usualHomes,
  caBundle = 'LS0t',
  timeoutSeconds = 1,
  annotations = {},
} = {}): Partial<DoctorFacts> {
  const { webhooks, ...rest } = webhookAround(homes);
  const metadata = { ...rest.metadata, annotations: { ...rest.metadata.annotations, ...annotations } };
  const object = { ...rest, metadata };
  const asServed = webhooks.map((one) => ({
    ...{ ...one, timeoutSeconds },
    clientConfig: { ...one.clientConfig, caBundle },
  }));
  const configuration = { ...object, webhooks: asServed } as unknown as KubeObject;
  return {
    ...{ mutatingPolicies: objects(), mutatingBindings: objects(), webhook: known(configuration) },
    ...installedIn(homes),
  };
}

const old: Partial<DoctorFacts> = { admissionKinds: known(['validatingadmissionpolicies']) };
const alone = { controller: usualHomes.controller, agents: usualHomes.controller };
const platform = { controller: 'platform', agents: 'platform' };

test.each<[string, Partial<DoctorFacts>, string]>([
  [
    'is fine where it is as this version installs it',
    { ...old, ...served() },
    'fine: admission is by the webhook',
  ],
  [
    'is fine in one namespace',
    { ...old, ...served({ homes: platform }) },
    'fine: admission is by the webhook',
  ],
  [
    'is fine where there are no agents, and no namespace is left out for them',
    { ...old, ...served({ homes: alone }), ...withoutAgents() },
    'fine: admission is by the webhook',
  ],
  [
    'differs where a namespace is left out for agents that are elsewhere',
    { ...old, ...served({ homes: alone }), ...installedIn(usualHomes) },
    'wrong: MutatingWebhookConfiguration pods.keepalive.dev differs in webhooks[0].namespaceSelector',
  ],
  ['is fine where policies could be, and are not', served(), 'fine: admission is by the webhook'],
  ['is missing where neither is there', old, 'wrong: the API server does not serve MutatingAdmissionPolicy'],
  [
    'differs where somebody edited it',
    { ...old, ...served({ timeoutSeconds: 30 }) },
    'wrong: MutatingWebhookConfiguration pods.keepalive.dev differs in webhooks[0].timeoutSeconds',
  ],
  [
    'lets pods pass where nobody said whom to trust',
    { ...old, ...served({ caBundle: '' }) },
    'wrong: MutatingWebhookConfiguration pods.keepalive.dev does not say yet whom to trust',
  ],
  [
    'is not trusted where cert-manager is asked to say whom to trust',
    { ...old, ...served({ annotations: { 'cert-manager.io/inject-ca-from': 'db/ca' } }) },
    'wrong: MutatingWebhookConfiguration pods.keepalive.dev has the annotation cert-manager.io/inject-ca-from, by which cert-manager',
  ],
  [
    'is not trusted where OpenShift is asked to say it',
    { ...old, ...served({ annotations: { 'service.beta.openshift.io/inject-cabundle': 'true' } }) },
    'wrong: MutatingWebhookConfiguration pods.keepalive.dev has the annotation service.beta.openshift.io/inject-cabundle, by which service-ca of OpenShift',
  ],
  [
    'is unknown to whoever may not read it',
    { ...old, webhook: { known: false, why: 'you may not' } },
    'unknown: whether the webhook is installed: you may not',
  ],
  ['is not asked for where policies do it', { webhook: known(undefined) }, 'fine: admission is served'],
])('the webhook %s', (_sentence, facts, expected) => {
  const [told] = admission({ ...fine, ...facts });
  expect(`${told?.is}: ${told?.text}`.slice(0, expected.length)).toBe(expected);
});

test('namespaces that GKE Autopilot adds to those left out are told of, and nothing is wrong with them', () => {
  const { webhook } = served();
  const { webhooks, ...object } = (webhook?.known ? webhook.value : undefined) as KubeObject & {
    webhooks: { namespaceSelector: { matchExpressions?: object[] } }[];
  };
  const added = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'gke-gmp'] };
  const narrowed = webhooks.map(({ namespaceSelector, ...one }) => ({
    ...one,
    namespaceSelector: {
      ...namespaceSelector,
      matchExpressions: [...(namespaceSelector.matchExpressions ?? []), added],
    },
  }));
  const [told, more] = admission({
    ...{ ...fine, ...old, ...served() },
    webhook: known({ ...object, webhooks: narrowed }),
  });
  expect(told?.is).toBe('fine');
  expect(more?.is).toBe('note');
  expect(more?.text).toContain('also leaves out new pods of gke-gmp, as');
});
