import { ownResources } from '../api/resource.ts';
import { builtIn } from '../kube/built-in.ts';

const { pods, namespaces, nodes, configmaps, secrets, events } = builtIn;
const { daemonsets, deployments, endpointslices, leases } = builtIn;
const { mutatingadmissionpolicies, mutatingadmissionpolicybindings, mutatingwebhookconfigurations } = builtIn;
const { validatingadmissionpolicies, validatingadmissionpolicybindings } = builtIn;

/** Every kind that the controller reads, by the name its metrics use. */
export const resources = {
  ...ownResources,
  ...{
    pods,
    namespaces,
    nodes,
    configmaps,
    secrets,
    events,
    daemonsets,
    deployments,
    endpointslices,
    leases,
  },
  ...{ mutatingadmissionpolicies, mutatingadmissionpolicybindings, mutatingwebhookconfigurations },
  ...{ validatingadmissionpolicies, validatingadmissionpolicybindings },
} as const;
export type ResourceName = keyof typeof resources;
