import type * as z from 'zod';

import type { PolicyKind } from '../api/group.ts';
import { describeProblems } from '../api/object.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../api/spec.ts';
import type { PolicyStatus } from '../api/status.ts';
import { heldLabels } from './held-labels.ts';
import type { NamespaceView } from './pod.ts';
import type { Policy } from './policy.ts';
import { clusterPolicy, namespacedPolicy } from './policy.ts';
import { unreadPolicy } from './unread.ts';

/** What is kept of an object of the API server: only what a decision can depend on. */
export type Stored<T> = T & { readonly uid: string };

/** An object as the API server sends it, as far as every kind has the same. */
export interface RawObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
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
  readonly resourceVersion?: string | undefined;
  readonly generation: number;
  /** RFC 3339, of the API server; every stored object has it. */
  readonly createdAt?: string | undefined;
  /** `undefined` where the spec cannot be read; `problems` then says why. */
  readonly policy: Policy | undefined;
  readonly problems: string | undefined;
  /** Of one that cannot be read: by what of it admission goes meanwhile. */
  readonly unread?: Policy | undefined;
  /** Of one that cannot be read: a newer version may well read it. */
  readonly isNewer?: boolean;
  readonly status: PolicyStatus;
}

export function policyRecord(kind: PolicyKind, object: RawObject): PolicyRecord {
  const { namespace = '', name, uid, resourceVersion, generation = 0 } = object.metadata;
  const { creationTimestamp: createdAt } = object.metadata;
  const read =
    kind === 'KeepalivePolicy'
      ? parsed(keepalivePolicySpecSchema, object.spec, (spec) => namespacedPolicy(namespace, name, spec))
      : parsed(clusterKeepalivePolicySpecSchema, object.spec, (spec) => clusterPolicy(name, spec));
  // Only ever compared with what we would write, and read for its conditions: the CRD has checked its shape.
  const status = (object.status ?? {}) as PolicyStatus;
  const record = { kind, namespace, name, uid, resourceVersion, generation, createdAt, status, ...read };
  return record.policy === undefined ? { ...record, unread: unreadPolicy(record, object.spec) } : record;
}

/** The API server holds the CRD's rules, but an object may be older than a rule, or newer than this reader. */
function parsed<S extends z.ZodType>(
  schema: S,
  spec: unknown,
  make: (spec: z.output<S>) => Policy,
): Pick<PolicyRecord, 'policy' | 'problems' | 'isNewer'> {
  const result = schema.safeParse(spec);
  if (!result.success) {
    // Of a word that is not among those of an enum a newer version knows the meaning.
    const isNewer = result.error.issues.every(({ code }) => code === 'invalid_value');
    const problems = describeProblems(result.error).replaceAll('\n', '; ');
    return { policy: undefined, problems, isNewer };
  }
  const unknown = unknownField(spec, result.data, 'spec');
  if (unknown !== undefined)
    return { policy: undefined, problems: `${unknown}: no such field is known`, isNewer: true };
  return { policy: make(result.data), problems: undefined };
}

/** The first field that was left out in reading: it may change whom the policy selects, or with what. */
function unknownField(given: unknown, read: unknown, path: string): string | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  for (const [key, value] of Object.entries(given)) {
    const field = Array.isArray(given) ? `${path}[${key}]` : `${path}.${key}`;
    if (typeof read !== 'object' || read === null || !Object.hasOwn(read, key)) return field;
    const unknown = unknownField(value, (read as Readonly<Record<string, unknown>>)[key], field);
    if (unknown !== undefined) return unknown;
  }
  return undefined;
}

/** A namespace or a node: what selectors read. */
export function labelledRecord({ metadata }: RawObject): Stored<NamespaceView> {
  return { uid: metadata.uid, name: metadata.name, labels: heldLabels(metadata.labels) };
}

/** The ConfigMap of the settings. */
export type StoredSettings = Stored<{ readonly data: Readonly<Record<string, string>> }>;

export function settingsRecord(object: RawObject & { readonly data?: unknown }): StoredSettings {
  // Checked by the API server: a map of texts, or nothing.
  return { uid: object.metadata.uid, data: (object.data ?? {}) as StoredSettings['data'] };
}
