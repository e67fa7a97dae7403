import { ownResources } from '../api/resource.ts';
import { builtIn } from '../kube/built-in.ts';

const { pods, namespaces, nodes, configmaps, daemonsets } = builtIn;

/** Every kind that the agent reads, by the name its metrics use. */
export const resources = { ...ownResources, pods, namespaces, nodes, configmaps, daemonsets } as const;
