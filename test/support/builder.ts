import type * as z from 'zod';

import { derive } from '../../src/api/derive.ts';
import type { Hop } from '../../src/api/hop.ts';
import type { Keepalive } from '../../src/api/keepalive.ts';
import type { ClusterKeepalivePolicySpec, KeepalivePolicySpec } from '../../src/api/spec.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../../src/api/spec.ts';
import type { NodePod } from '../../src/policy/node-pod.ts';
import { nodePod } from '../../src/policy/node-pod.ts';
import type { NamespaceView, PodView, RawPod } from '../../src/policy/pod.ts';
import { podView } from '../../src/policy/pod.ts';
import type { EffectivePolicy, Policy } from '../../src/policy/policy.ts';
import { clusterPolicy, namespacedPolicy } from '../../src/policy/policy.ts';
import type { Requirement } from '../../src/policy/requirement.ts';
import { requirementOf } from '../../src/policy/requirement.ts';
import { selectOnNode } from '../../src/policy/selection.ts';
import type { Sysctl } from '../../src/policy/sysctl.ts';
import type { Wanted } from '../../src/policy/tighten.ts';

/** A path of one NAT that forgets after so many seconds. */
export const nat = (idleTimeoutSeconds: number, name = 'nat'): Hop[] => [
  { name, type: 'NAT', idleTimeoutSeconds },
];

/** What a policy behind so many seconds asks for. */
export const behind = (idleTimeoutSeconds: number, declared: Keepalive = {}): Requirement =>
  requirementOf({ idleTimeoutSeconds, ...derive(idleTimeoutSeconds, declared), declared });
/** The same of a network namespace; without seconds nobody asks for anything. */
export const asking = (idleTimeoutSeconds?: number, declared?: Keepalive): Wanted => ({
  asked: idleTimeoutSeconds === undefined ? undefined : behind(idleTimeoutSeconds, declared),
  hold: false,
});

type NamespacedInput = Partial<z.input<typeof keepalivePolicySpecSchema>>;
type ClusterInput = Partial<z.input<typeof clusterKeepalivePolicySpecSchema>>;

/** `team(90)`: every pod of namespace `db`, behind a NAT of 90 s. */
export function team(
  seconds: number,
  spec: NamespacedInput = {},
  name = 'team',
  namespace = 'db',
): EffectivePolicy {
  return effective(namespacedPolicy(namespace, name, teamSpec(seconds, spec)));
}

export function teamSpec(seconds: number, spec: NamespacedInput = {}): KeepalivePolicySpec {
  return keepalivePolicySpecSchema.parse({ podSelector: {}, path: nat(seconds), ...spec });
}

/** `platform(90)`: every pod of every namespace, behind a NAT of 90 s. */
export function platform(seconds: number, spec: ClusterInput = {}, name = 'platform'): EffectivePolicy {
  return effective(clusterPolicy(name, platformSpec(seconds, spec)));
}

export function platformSpec(seconds: number, spec: ClusterInput = {}): ClusterKeepalivePolicySpec {
  return clusterKeepalivePolicySpecSchema.parse({ podSelector: {}, path: nat(seconds), ...spec });
}

function effective(policy: Policy): EffectivePolicy {
  if (policy.effective === undefined) throw new Error(`${policy.name} has no effective values`);
  return { ...policy, effective: policy.effective };
}

export function namespace(name = 'db', labels: Record<string, string> = {}): NamespaceView {
  return { name, labels };
}

/** The sysctls 30/10/6 by default. */
export function sysctls(time = 30, interval = 10, probes = 6): Sysctl[] {
  return [
    { name: 'net.ipv4.tcp_keepalive_time', value: String(time) },
    { name: 'net.ipv4.tcp_keepalive_intvl', value: String(interval) },
    { name: 'net.ipv4.tcp_keepalive_probes', value: String(probes) },
  ];
}

export interface PodSketch {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly sysctls?: Sysctl[];
  readonly phase?: string;
  readonly spec?: RawPod['spec'];
}

export function rawPod({ name = 'mongo-0', namespace: of = 'db', ...sketch }: PodSketch = {}): RawPod {
  const { labels = {}, annotations = {}, phase = 'Running', spec = {} } = sketch;
  const securityContext =
    sketch.sysctls === undefined ? {} : { securityContext: { sysctls: sketch.sysctls } };
  return {
    metadata: { name, namespace: of, labels, annotations },
    spec: { nodeName: 'n1', ...securityContext, ...spec },
    status: { phase },
  };
}

export function pod(sketch: PodSketch = {}): PodView {
  return podView(rawPod(sketch));
}

/** A pod as its node's agent sees it; its uid follows from its name. */
export function nodePodOf(sketch: PodSketch & { readonly status?: object } = {}): NodePod {
  const raw = rawPod(sketch);
  const name = raw.metadata?.name ?? '';
  return nodePod({
    ...raw,
    metadata: { ...raw.metadata, uid: `uid-of-${name}` },
    status: { ...raw.status, ...sketch.status },
  });
}

/** What the policies of an API server select on a node with these pods; `unread` are those that the agent cannot read. */
export const selectedBy = (
  policies: readonly EffectivePolicy[],
  pods: readonly NodePod[] = [nodePodOf()],
  unread: readonly EffectivePolicy[] = [],
) => {
  const recordOf = (policy: EffectivePolicy) => ({
    ...{ kind: policy.kind, namespace: policy.namespace, name: policy.name },
    ...{ uid: 'u1', generation: 1, status: {} },
  });
  return selectOnNode({
    ...{ node: { name: 'n1', labels: {} }, pods, namespaces: new Map([['db', namespace()]]) },
    policies: [
      ...policies.map((policy) => ({ ...recordOf(policy), policy, problems: undefined })),
      ...unread.map((policy) => ({ ...recordOf(policy), policy: undefined, problems: 'spec.mode: newer' })),
    ],
  });
};
