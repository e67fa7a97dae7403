import { ownResources } from '../api/resource.ts';
import type { Resource } from '../kube/resource.ts';

export const admission = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;

/** Every kind that the controller reads, by the name its metrics use. */
export const resources = {
  ...ownResources,
  pods: { group: '', version: 'v1', plural: 'pods' },
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  nodes: { group: '', version: 'v1', plural: 'nodes' },
  configmaps: { group: '', version: 'v1', plural: 'configmaps' },
  daemonsets: { group: 'apps', version: 'v1', plural: 'daemonsets' },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments' },
  endpointslices: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
  events: { group: '', version: 'v1', plural: 'events' },
  mutatingadmissionpolicies: { ...admission, plural: 'mutatingadmissionpolicies' },
  mutatingwebhookconfigurations: { ...admission, plural: 'mutatingwebhookconfigurations' },
  secrets: { group: '', version: 'v1', plural: 'secrets' },
  validatingadmissionpolicies: { ...admission, plural: 'validatingadmissionpolicies' },
  validatingadmissionpolicybindings: { ...admission, plural: 'validatingadmissionpolicybindings' },
  mutatingadmissionpolicybindings: { ...admission, plural: 'mutatingadmissionpolicybindings' },
} as const satisfies Record<string, Resource>;
export type ResourceName = keyof typeof resources;
