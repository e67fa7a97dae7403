import type { ApiClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import type { ResourceName } from './resource.ts';
import { resources } from './resource.ts';

/** The cluster lacks something that only a person can install; its message says how. For standard error, without a stack. */
export class RequirementError extends Error {
  override readonly name = 'RequirementError';
}

const remedies: readonly { readonly resource: ResourceName; readonly remedy: string }[] = [
  {
    resource: 'mutatingadmissionpolicies',
    remedy:
      'the API server does not serve MutatingAdmissionPolicy (admissionregistration.k8s.io/v1): use Kubernetes 1.36 or later',
  },
  {
    resource: 'keepalivepolicies',
    remedy: 'the CustomResourceDefinition of KeepalivePolicy is not installed: kubectl apply -k crds/',
  },
  {
    resource: 'clusterkeepalivepolicies',
    remedy: 'the CustomResourceDefinition of ClusterKeepalivePolicy is not installed: kubectl apply -k crds/',
  },
];

/** Rejects with a RequirementError where the cluster lacks a kind, with an ApiError where it cannot be asked. */
export async function checkRequirements(client: ApiClient, signal: AbortSignal): Promise<void> {
  for (const { resource, remedy } of remedies) {
    try {
      await client.listPage(resources[resource], { limit: 1 }, { signal });
    } catch (error) {
      throw isNotFound(error) ? new RequirementError(remedy) : error;
    }
  }
}
