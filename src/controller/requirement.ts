import type { Requirement } from '../kube/requirement.ts';
import type { AdmissionMode } from '../policy/mode.ts';
import { webhookName } from '../policy/webhook.ts';
import { resources } from './resource.ts';

const missing = (kind: string) =>
  `the CustomResourceDefinition of ${kind} is not installed: kubectl apply -k crds/`;

const ofMode: Readonly<Record<AdmissionMode, readonly Requirement[]>> = {
  policy: [
    {
      resource: resources.mutatingadmissionpolicies,
      remedy:
        'the API server does not serve MutatingAdmissionPolicy (admissionregistration.k8s.io/v1): use Kubernetes 1.36 or later, ' +
        'or the component deploy/components/webhook',
    },
  ],
  webhook: [
    {
      resource: resources.mutatingwebhookconfigurations,
      name: webhookName,
      remedy:
        'the API server does not serve MutatingAdmissionPolicy (Kubernetes before 1.36), or ADMISSION says so, and what a webhook needs ' +
        'instead is not installed: take the component deploy/components/webhook into your overlay',
    },
  ],
};

const ofAll: readonly Requirement[] = [
  { resource: resources.keepalivepolicies, remedy: missing('KeepalivePolicy') },
  { resource: resources.clusterkeepalivepolicies, remedy: missing('ClusterKeepalivePolicy') },
  { resource: resources.nodekeepalives, remedy: missing('NodeKeepalive') },
];

export function requirementsOf(mode: AdmissionMode): readonly Requirement[] {
  return [...ofMode[mode], ...ofAll];
}
