import type * as z from 'zod';

import type { PolicyKind } from '../api/group.ts';
import { describeProblems } from '../api/object.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../api/spec.ts';
import type { PolicyStatus } from '../api/status.ts';
import type { NamespaceView } from './pod.ts';
import type { Policy } from './policy.ts';
import { clusterPolicy, namespacedPolicy } from './policy.ts';

/** What is kept of an object of the API server: only what a decision can depend on. */
export type Stored<T> = T & { readonly uid: string };

/** An object as the API server sends it, as far as every kind has the same. */
export interface RawObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** A policy object as it was read. */
export interface PolicyRecord {
  readonly kind: PolicyKind;
  /** Empty for a cluster policy. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** `undefined` where the spec cannot be read; `problems` then says why. */
  readonly policy: Policy | undefined;
  readonly problems: string | undefined;
  readonly status: PolicyStatus;
}

export function policyRecord(kind: PolicyKind, object: RawObject): PolicyRecord {
  const { namespace = '', name, uid, generation = 0 } = object.metadata;
  const read =
    kind === 'KeepalivePolicy'
      ? parsed(keepalivePolicySpecSchema, object.spec, (spec) => namespacedPolicy(namespace, name, spec))
      : parsed(clusterKeepalivePolicySpecSchema, object.spec, (spec) => clusterPolicy(name, spec));
  // Only ever compared with what we would write, and read for its conditions: the CRD has checked its shape.
  const status = (object.status ?? {}) as PolicyStatus;
  return { kind, namespace, name, uid, generation, status, ...read };
}

/** The API server holds the CRD's rules, but an object may be older than a rule, or newer than this reader. */
function parsed<S extends z.ZodType>(
  schema: S,
  spec: unknown,
  make: (spec: z.output<S>) => Policy,
): Pick<PolicyRecord, 'policy' | 'problems'> {
  const result = schema.safeParse(spec);
  return result.success
    ? { policy: make(result.data), problems: undefined }
    : { policy: undefined, problems: describeProblems(result.error).replaceAll('\n', '; ') };
}

/** A namespace or a node: what selectors read. */
export function labelledRecord({ metadata }: RawObject): Stored<NamespaceView> {
  return { uid: metadata.uid, name: metadata.name, labels: metadata.labels ?? {} };
}
