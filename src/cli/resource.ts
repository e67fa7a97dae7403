import { ownResources } from '../api/resource.ts';
import type { Resource } from '../kube/resource.ts';

const admission = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;

/** Every kind that the commands read. */
export const resources = {
  ...ownResources,
  pods: { group: '', version: 'v1', plural: 'pods' },
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  nodes: { group: '', version: 'v1', plural: 'nodes' },
  configmaps: { group: '', version: 'v1', plural: 'configmaps' },
  events: { group: '', version: 'v1', plural: 'events' },
  daemonsets: { group: 'apps', version: 'v1', plural: 'daemonsets' },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments' },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
  crds: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
  subjectaccessreviews: { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' },
  mutatingadmissionpolicies: { ...admission, plural: 'mutatingadmissionpolicies' },
  mutatingadmissionpolicybindings: { ...admission, plural: 'mutatingadmissionpolicybindings' },
  mutatingwebhookconfigurations: { ...admission, plural: 'mutatingwebhookconfigurations' },
  validatingadmissionpolicies: { ...admission, plural: 'validatingadmissionpolicies' },
  validatingadmissionpolicybindings: { ...admission, plural: 'validatingadmissionpolicybindings' },
} as const satisfies Record<string, Resource>;
