import type { Requirement } from '../kube/requirement.ts';
import { resources } from './resource.ts';

const missing = (kind: string) =>
  `the CustomResourceDefinition of ${kind} is not installed: kubectl apply -k crds/`;

export const requirements: readonly Requirement[] = [
  {
    resource: resources.mutatingadmissionpolicies,
    remedy:
      'the API server does not serve MutatingAdmissionPolicy (admissionregistration.k8s.io/v1): use Kubernetes 1.36 or later',
  },
  { resource: resources.keepalivepolicies, remedy: missing('KeepalivePolicy') },
  { resource: resources.clusterkeepalivepolicies, remedy: missing('ClusterKeepalivePolicy') },
  { resource: resources.nodekeepalives, remedy: missing('NodeKeepalive') },
];
