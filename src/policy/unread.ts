import * as z from 'zod';

import type { PolicyKind } from '../api/group.ts';
import type { ClusterKeepalivePolicySpec } from '../api/spec.ts';
import type { Policy } from './policy.ts';

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** Only what the CEL of admission.ts reads of a spec, and a word that is not known read as it does there. */
const selector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.enum(operators).catch('DoesNotExist'),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});
const shape = z.object({
  mode: z.unknown().optional(),
  podSelector: selector.optional(),
  // A field that narrows it must not select every namespace.
  namespaceSelector: selector.strict().optional(),
});

/**
 * A policy that this version does not understand, as far as new pods go: until somebody corrects it, they are given what was
 * understood before, which stands in its status. Undefined where not even that can be told whom it selects.
 */
export function unreadPolicy(
  { kind, namespace, name }: { kind: PolicyKind; namespace: string; name: string },
  given: unknown,
): Policy | undefined {
  const { success, data } = shape.safeParse(given);
  if (!success) return undefined;
  const { mode, podSelector, namespaceSelector } = data;
  const spec: ClusterKeepalivePolicySpec = {
    podSelector,
    namespaceSelector,
    mode: mode === 'Audit' ? 'Audit' : 'Enforce',
    path: [],
    openConnections: 'Observe',
  };
  return { kind, namespace, name, spec, effective: undefined };
}
