import type { Requirement } from '../kube/requirement.ts';
import { resources } from './resource.ts';

const missing = (kind: string) =>
  `the CustomResourceDefinition of ${kind} is not installed: helm upgrade, or without Helm kubectl apply -k crds/ (docs/runbook.md#install-it-again)`;

export const requirements: readonly Requirement[] = [
  { resource: resources.keepalivepolicies, remedy: missing('KeepalivePolicy') },
  { resource: resources.clusterkeepalivepolicies, remedy: missing('ClusterKeepalivePolicy') },
  { resource: resources.nodekeepalives, remedy: missing('NodeKeepalive') },
];
