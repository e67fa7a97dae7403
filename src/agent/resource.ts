import { ownResources } from '../api/resource.ts';
import type { Resource } from '../kube/resource.ts';

/** Every kind that the agent reads, by the name its metrics use. */
export const resources = {
  ...ownResources,
  pods: { group: '', version: 'v1', plural: 'pods' },
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  nodes: { group: '', version: 'v1', plural: 'nodes' },
  configmaps: { group: '', version: 'v1', plural: 'configmaps' },
  daemonsets: { group: 'apps', version: 'v1', plural: 'daemonsets' },
} as const satisfies Record<string, Resource>;
