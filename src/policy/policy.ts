import type { PolicyKind } from '../api/group.ts';
import type { LabelSelector } from '../api/selector.ts';
import type { ClusterKeepalivePolicySpec, KeepalivePolicySpec, PolicySpec } from '../api/spec.ts';
import type { Effective } from '../api/status.ts';
import { selects } from './label-selector.ts';
import type { NamespaceView, PodView } from './pod.ts';
import { deriveEffective } from './effective.ts';

/** A policy as decisions see it: its spec has been read and its values derived. */
export interface Policy {
  readonly kind: PolicyKind;
  /** Empty for a cluster policy. */
  readonly namespace: string;
  readonly name: string;
  readonly spec: PolicySpec;
  /** `undefined` where the path gives none. */
  readonly effective: Effective | undefined;
  /** It audits because the whole product does, whatever its own spec says. */
  readonly switchedOff?: true;
}

/** A policy whose path gives values. */
export type EffectivePolicy = Policy & { readonly effective: Effective };

export function namespacedPolicy(namespace: string, name: string, spec: KeepalivePolicySpec): Policy {
  return {
    kind: 'KeepalivePolicy',
    namespace,
    name,
    spec,
    effective: deriveEffective(spec.path, spec.keepalive),
  };
}

export function clusterPolicy(name: string, spec: ClusterKeepalivePolicySpec): Policy {
  const effective = deriveEffective(spec.path, spec.keepalive);
  return { kind: 'ClusterKeepalivePolicy', namespace: '', name, spec, effective };
}

/** Who would act where a policy only audits: "… would set 30/10/6". */
export function whoWouldAct({ switchedOff }: Policy): string {
  return switchedOff ? 'the operator, switched on again,' : 'mode Enforce';
}

/** `KeepalivePolicy db/behind-the-nat`, `ClusterKeepalivePolicy behind-the-nat`. */
export function describePolicy({ kind, namespace, name }: Policy): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

export function selectsNamespace(policy: Policy, namespace: NamespaceView): boolean {
  if (policy.kind === 'KeepalivePolicy') return policy.namespace === namespace.name;
  return selects(namespaceSelectorOf(policy) ?? {}, namespace.labels);
}

/** `undefined` where a cluster policy selects every namespace, and for a namespaced policy. */
export function namespaceSelectorOf({ spec }: Policy): LabelSelector | undefined {
  return (spec as Partial<ClusterKeepalivePolicySpec>).namespaceSelector;
}

/** Whether the policy selects a pod of a namespace that it selects. A cluster policy may select no pods at all. */
export function selectsPod({ spec }: Policy, pod: Pick<PodView, 'labels'>): boolean {
  return spec.podSelector !== undefined && selects(spec.podSelector, pod.labels);
}
