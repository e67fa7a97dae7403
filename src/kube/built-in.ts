import type { Resource } from './resource.ts';

export const admissionGroup = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;

/** Kinds that every cluster has, by the plural that their paths have; who talks to it takes those that it needs. */
export const builtIn = {
  clusterrolebindings: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterrolebindings' },
  configmaps: { group: '', version: 'v1', plural: 'configmaps' },
  customresourcedefinitions: {
    ...{ group: 'apiextensions.k8s.io', version: 'v1' },
    plural: 'customresourcedefinitions',
  },
  daemonsets: { group: 'apps', version: 'v1', plural: 'daemonsets' },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments' },
  endpointslices: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
  events: { group: '', version: 'v1', plural: 'events' },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
  mutatingadmissionpolicies: { ...admissionGroup, plural: 'mutatingadmissionpolicies' },
  mutatingadmissionpolicybindings: { ...admissionGroup, plural: 'mutatingadmissionpolicybindings' },
  mutatingwebhookconfigurations: { ...admissionGroup, plural: 'mutatingwebhookconfigurations' },
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  nodes: { group: '', version: 'v1', plural: 'nodes' },
  pods: { group: '', version: 'v1', plural: 'pods' },
  secrets: { group: '', version: 'v1', plural: 'secrets' },
  subjectaccessreviews: { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' },
  validatingadmissionpolicies: { ...admissionGroup, plural: 'validatingadmissionpolicies' },
  validatingadmissionpolicybindings: { ...admissionGroup, plural: 'validatingadmissionpolicybindings' },
} as const satisfies Record<string, Resource>;
