import type { Requirement } from '../kube/requirement.ts';
import { kindMissing } from '../policy/remedy.ts';
import { resources } from './resource.ts';

export const requirements: readonly Requirement[] = [
  { resource: resources.keepalivepolicies, remedy: kindMissing('KeepalivePolicy') },
  { resource: resources.clusterkeepalivepolicies, remedy: kindMissing('ClusterKeepalivePolicy') },
  { resource: resources.nodekeepalives, remedy: kindMissing('NodeKeepalive') },
];
