import type { PolicyKind } from '../api/group.ts';
import { GROUP, plurals, VERSION } from '../api/group.ts';
import type { Resource } from '../kube/resource.ts';

const admission = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;

/** Every kind that the controller reads, by the name its metrics use. */
export const resources = {
  keepalivepolicies: { group: GROUP, version: VERSION, plural: plurals.KeepalivePolicy },
  clusterkeepalivepolicies: { group: GROUP, version: VERSION, plural: plurals.ClusterKeepalivePolicy },
  pods: { group: '', version: 'v1', plural: 'pods' },
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  mutatingadmissionpolicies: { ...admission, plural: 'mutatingadmissionpolicies' },
  mutatingadmissionpolicybindings: { ...admission, plural: 'mutatingadmissionpolicybindings' },
} as const satisfies Record<string, Resource>;
export type ResourceName = keyof typeof resources;

export function resourceOf(kind: PolicyKind): Resource {
  return kind === 'KeepalivePolicy' ? resources.keepalivepolicies : resources.clusterkeepalivepolicies;
}
