import type { Requirement } from '../kube/requirement.ts';
import type { AdmissionMode } from '../policy/mode.ts';
import { kindMissing } from '../policy/remedy.ts';
import { webhookName } from '../policy/webhook.ts';
import { resources } from './resource.ts';

const ofMode: Readonly<Record<AdmissionMode, readonly Requirement[]>> = {
  policy: [
    {
      resource: resources.mutatingadmissionpolicies,
      remedy:
        'the API server does not serve MutatingAdmissionPolicy (admissionregistration.k8s.io/v1): use Kubernetes 1.36 or later, which does once it emulates no older one, ' +
        'or the component deploy/components/webhook (with the chart: admission=webhook)',
    },
  ],
  webhook: [
    {
      resource: resources.mutatingwebhookconfigurations,
      name: webhookName,
      remedy:
        'the API server does not serve MutatingAdmissionPolicy (Kubernetes before 1.36, or one that emulates it), or ADMISSION says so, and what a webhook needs ' +
        'instead is not installed: take the component deploy/components/webhook into your overlay (with the chart: admission=webhook)',
    },
  ],
};

const ofAll: readonly Requirement[] = [
  { resource: resources.keepalivepolicies, remedy: kindMissing('KeepalivePolicy') },
  { resource: resources.clusterkeepalivepolicies, remedy: kindMissing('ClusterKeepalivePolicy') },
  { resource: resources.nodekeepalives, remedy: kindMissing('NodeKeepalive') },
];

export function requirementsOf(mode: AdmissionMode): readonly Requirement[] {
  return [...ofMode[mode], ...ofAll];
}
