import type * as z from 'zod';

import type { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../../src/api/spec.ts';
import { nat } from './builder.ts';

type NamespacedSpec = z.input<typeof keepalivePolicySpecSchema>;
type ClusterSpec = z.input<typeof clusterKeepalivePolicySpecSchema>;

/** A policy of the pod's own namespace, or of the cluster. */
export type CasePolicy =
  | { readonly kind: 'KeepalivePolicy'; readonly spec: NamespacedSpec }
  | { readonly kind: 'ClusterKeepalivePolicy'; readonly spec: ClusterSpec };

export const team = (seconds: number, spec: Partial<NamespacedSpec> = {}): CasePolicy => ({
  kind: 'KeepalivePolicy',
  spec: { podSelector: {}, path: nat(seconds), ...spec },
});
export const platform = (seconds: number, spec: Partial<ClusterSpec> = {}): CasePolicy => ({
  kind: 'ClusterKeepalivePolicy',
  spec: { podSelector: {}, path: nat(seconds), ...spec },
});
