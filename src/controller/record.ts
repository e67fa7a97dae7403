import type * as z from 'zod';

import type { PolicyKind } from '../api/group.ts';
import { describeProblems } from '../api/object.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../api/spec.ts';
import type { PolicyStatus } from '../api/status.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { BindingRecord, PolicyRecord } from '../policy/plan.ts';
import type { NamespaceView, PodView } from '../policy/pod.ts';
import { podView } from '../policy/pod.ts';
import type { Policy } from '../policy/policy.ts';
import { clusterPolicy, namespacedPolicy } from '../policy/policy.ts';

type Stored<T> = T & { readonly uid: string };

/** What is kept of each kind of object: only what a decision can depend on. */
export type StoredPolicy = PolicyRecord;
export type StoredPod = Stored<PodView>;
export type StoredNamespace = Stored<NamespaceView>;
export type StoredBinding = BindingRecord;
export type StoredAdmission = Stored<{ readonly name: string }>;

export function policyRecord(kind: PolicyKind, object: KubeObject): StoredPolicy {
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
): Pick<StoredPolicy, 'policy' | 'problems'> {
  const result = schema.safeParse(spec);
  return result.success
    ? { policy: make(result.data), problems: undefined }
    : { policy: undefined, problems: describeProblems(result.error).replaceAll('\n', '; ') };
}

export function podRecord(object: KubeObject): StoredPod {
  return { uid: object.metadata.uid, ...podView(object) };
}

export function namespaceRecord({ metadata }: KubeObject): StoredNamespace {
  return { uid: metadata.uid, name: metadata.name, labels: metadata.labels ?? {} };
}

export function bindingRecord({ metadata, spec }: KubeObject): StoredBinding {
  const { name, uid, resourceVersion, labels = {} } = metadata;
  const { ownerReferences = [] } = metadata as { ownerReferences?: readonly unknown[] };
  return { name, uid, resourceVersion, labels, ownerReferences, spec };
}

export function admissionRecord({ metadata }: KubeObject): StoredAdmission {
  return { uid: metadata.uid, name: metadata.name };
}
