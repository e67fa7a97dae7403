import * as z from 'zod';
// Not by `z.core`: a bundle then holds all of zod, every language included.
import { toDotPath } from 'zod/v4/core';

import type { PolicyKind } from './group.ts';
import { API_VERSION, nameLimit } from './group.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from './spec.ts';
import { policyStatusSchema } from './status.ts';

const metadataSchema = z.object({
  name: z.string().max(nameLimit.max, nameLimit.message).optional(),
  generateName: z.string().optional(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  generation: z.number().optional(),
  resourceVersion: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z
    .array(
      z.object({
        apiVersion: z.string(),
        kind: z.string(),
        name: z.string(),
        uid: z.string(),
        controller: z.boolean().optional(),
        blockOwnerDeletion: z.boolean().optional(),
      }),
    )
    .optional(),
});
export type Metadata = z.infer<typeof metadataSchema>;

const objectSchema = <K extends PolicyKind, S extends z.ZodType>(kind: K, spec: S) =>
  z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(kind),
    metadata: metadataSchema,
    spec,
    status: policyStatusSchema.optional(),
  });

export const keepalivePolicySchema = objectSchema('KeepalivePolicy', keepalivePolicySpecSchema);
export const clusterKeepalivePolicySchema = objectSchema(
  'ClusterKeepalivePolicy',
  clusterKeepalivePolicySpecSchema,
);

/** One line a problem: `spec.path[0].idleTimeoutSeconds: Too small: expected number to be >=2`. */
export function describeProblems(error: z.ZodError): string {
  return error.issues
    .map((issue) => [toDotPath(issue.path), issue.message].filter((part) => part !== '').join(': '))
    .join('\n');
}
