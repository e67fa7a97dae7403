import type { PolicyKind } from './group.ts';
import { GROUP, plurals, VERSION } from './group.ts';

/** How the API server calls our kinds in its paths. */
export const ownResources = {
  keepalivepolicies: { group: GROUP, version: VERSION, plural: plurals.KeepalivePolicy },
  clusterkeepalivepolicies: { group: GROUP, version: VERSION, plural: plurals.ClusterKeepalivePolicy },
  nodekeepalives: { group: GROUP, version: VERSION, plural: plurals.NodeKeepalive },
} as const;

export function resourceOf(kind: PolicyKind) {
  return kind === 'KeepalivePolicy' ? ownResources.keepalivepolicies : ownResources.clusterkeepalivepolicies;
}
