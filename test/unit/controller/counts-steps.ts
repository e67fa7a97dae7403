import fc from 'fast-check';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import type { Finding } from '../../../src/api/status.ts';
import type { PodSketch } from '../../support/builder.ts';
import { platform, pod, sysctls, team } from '../../support/builder.ts';
import type { Rig } from './counts-rig.ts';
import { home, names, namespaces, nodes } from './counts-rig.ts';

const labels = fc.constantFrom<Record<string, string>>(
  ...[{}, { app: 'mongo' }, { app: 'web' }, { 'keepalive.dev/skip': 'true' }],
);
const sketches: fc.Arbitrary<PodSketch> = fc.record({
  labels,
  phase: fc.constantFrom('Running', 'Running', 'Pending', 'Succeeded'),
  sysctls: fc.constantFrom(sysctls(), sysctls(7200), sysctls(10, 4, 6)),
  annotations: fc.constantFrom<Record<string, string>>(
    ...[{}, { 'keepalive.dev/own-values': '600/-/-' }, { 'kubernetes.io/config.mirror': 'x' }],
  ),
  spec: fc.record({ nodeName: fc.constantFrom(...nodes), hostNetwork: fc.boolean() }),
});
const pods = fc.record({
  do: fc.constant('pod' as const),
  namespace: fc.constantFrom(...namespaces),
  name: fc.constantFrom(...names),
  sketch: fc.option(sketches, { nil: undefined }),
  isPlaced: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
});
const selectors = fc.constantFrom<object>({}, { matchLabels: { app: 'mongo' } });
const policies = fc.record({
  do: fc.constant('policy' as const),
  name: fc.constantFrom('x', 'y', 'z'),
  namespace: fc.constantFrom('', ...namespaces),
  is: fc.option(
    fc.record({
      seconds: fc.constantFrom(30, 90),
      generation: fc.integer({ min: 1, max: 2 }),
      podSelector: selectors,
      mode: fc.constantFrom('Enforce' as const, 'Audit' as const),
      namespaceSelector: fc.constantFrom<object | undefined>(undefined, { matchLabels: { team: 'red' } }),
      nodes: fc.option(fc.record({ selector: fc.constantFrom({}, { matchLabels: { pool: 'a' } }) }), {
        nil: undefined,
      }),
      readyAt: fc.option(fc.constant('2026-05-04T10:00:00Z'), { nil: undefined }),
    }),
    { nil: undefined, freq: 4 },
  ),
});
const findings = (node: string): fc.Arbitrary<Finding[]> =>
  fc.array(
    fc.record({
      reason: fc.constantFrom('NotLive', 'NotEnforced', 'HostNetwork', 'OwnValuesChanged'),
      pod: fc.constantFrom(...names),
      node: fc.constant(node),
      message: fc.constantFrom('one', 'other'),
    }),
    { maxLength: 18 },
  );
const reports = fc.constantFrom(...nodes).chain((node) =>
  fc.record({
    do: fc.constant('report' as const),
    node: fc.constant(node),
    policies: fc.option(
      fc.uniqueArray(
        fc.record({
          name: fc.constantFrom('x', 'y', 'z'),
          namespace: fc.constantFrom(undefined, ...namespaces),
          observedGeneration: fc.integer({ min: 1, max: 2 }),
          selected: fc.nat(4),
          live: fc.nat(4),
          host: fc.constantFrom(undefined, 'Live' as const, 'NotLive' as const),
          exposed: fc.option(fc.nat(3), { nil: undefined }),
          skipped: fc.nat(3),
          unheeded: fc.nat(3),
          uncounted: fc.nat(1),
          findings: findings(node),
          tracker: fc.boolean(),
        }),
        { selector: ({ name, namespace = '' }) => `${namespace}/${name}`, maxLength: 6 },
      ),
      { nil: undefined, freq: 5 },
    ),
  }),
);
export const nodeSteps = fc.record({
  do: fc.constant('node' as const),
  name: fc.constantFrom(...nodes),
  labels: fc.option(fc.constantFrom<Record<string, string>>({}, { pool: 'a' }), { nil: undefined }),
});
const others = fc.oneof(
  fc.record({
    do: fc.constant('namespace' as const),
    name: fc.constantFrom(...namespaces),
    labels: fc.option(
      fc.constantFrom<Record<string, string>>(...[{}, { team: 'red' }], {
        'pod-security.kubernetes.io/enforce': 'baseline',
        'pod-security.kubernetes.io/enforce-version': 'v1.20',
      }),
      { nil: undefined, freq: 4 },
    ),
  }),
  fc.record({
    do: fc.constant('agent' as const),
    node: fc.constantFrom(...nodes),
    ready: fc.constantFrom(true, true, false, undefined),
  }),
  nodeSteps,
  fc.record({ do: fc.constant('daemonset' as const), isThere: fc.boolean() }),
  fc.record({ do: fc.constant('limit' as const), to: fc.constantFrom('1', '2', '100') }),
  fc.record({ do: fc.constant('look' as const), name: fc.constantFrom('x', 'y', 'z') }),
);
export const steps = fc.oneof(
  { weight: 4, arbitrary: pods },
  { weight: 2, arbitrary: policies },
  { weight: 3, arbitrary: reports },
  { weight: 3, arbitrary: others },
);
export type Step = typeof steps extends fc.Arbitrary<infer S> ? S : never;

/** After which there are some, and the labels of a node tell whether one is meant to be there. */
export const someAgents: readonly Step[] = [
  { do: 'daemonset', isThere: true },
  { do: 'agent', node: 'n3', ready: true },
];

type Taking = { readonly [K in Step['do']]: (rig: Rig, step: Step & { do: K }) => void };

const taking: Taking = {
  pod: (rig, { namespace, name, sketch, isPlaced }) => {
    const view = sketch && pod({ ...sketch, namespace, name });
    const rest = { uid: name, agentReady: undefined, createdAtMs: Date.parse('2026-05-04T11:00:00Z') };
    const placed = view && { ...view, node: isPlaced ? view.node : undefined, ...rest };
    rig.put('pods', `${namespace}/${name}`, placed);
  },
  policy: (rig, { name, namespace, is }) => {
    const key = namespace === '' ? name : `${namespace}/${name}`;
    const resource = namespace === '' ? 'clusterkeepalivepolicies' : 'keepalivepolicies';
    rig.put(resource, key, is && policyOf({ name, namespace }, is));
  },
  report: (rig, { node, policies: said }) => {
    rig.report(
      node,
      said?.map((one) => reportOf(node, one)),
    );
  },
  namespace: (rig, { name, labels: is }) => {
    rig.put('namespaces', name, is && { uid: name, name, labels: is });
  },
  agent: (rig, { node, ready }) => {
    const view = pod({ name: node, namespace: home, spec: { nodeName: node } });
    const agent = ready === undefined ? undefined : { ...view, uid: node, agentReady: ready };
    rig.put('pods', `${home}/${node}`, agent);
  },
  node: (rig, { name, labels: is }) => {
    rig.put('nodes', name, is && { uid: name, name, labels: is });
  },
  daemonset: (rig, { isThere }) => {
    const placement = { nodeSelector: { pool: 'a' }, terms: undefined };
    const set = { uid: 'd', namespace: home, name: 'agent', isEnding: false, placement, wanted: 1, made: 1 };
    rig.put('daemonsets', `${home}/agent`, isThere ? set : undefined);
  },
  limit: (rig, { to }) => {
    rig.limit(to);
  },
  look: () => undefined,
};

export function take(rig: Rig, step: Step): void {
  (taking[step.do] as (rig: Rig, step: Step) => void)(rig, step);
}

type Spec = NonNullable<(Step & { do: 'policy' })['is']>;

export function policyOf(
  { name, namespace }: { name: string; namespace: string },
  { seconds, generation, readyAt, nodes: ofNodes, namespaceSelector, ...spec }: Spec,
) {
  const ready = {
    ...{ type: 'Ready' as const, status: 'True' as const, reason: 'Enforced', message: '' },
    ...{ observedGeneration: generation, lastTransitionTime: readyAt ?? '' },
  };
  const rest = {
    ...{ namespace, name, uid: 'u1', generation, createdAt: `2026-05-04T09:00:0${name.charCodeAt(0) % 3}Z` },
    ...{ problems: undefined, status: readyAt === undefined ? {} : { conditions: [ready] } },
  };
  return namespace === ''
    ? {
        kind: 'ClusterKeepalivePolicy' as const,
        policy: platform(seconds, { ...spec, namespaceSelector, nodes: ofNodes }, name),
        ...rest,
      }
    : { kind: 'KeepalivePolicy' as const, policy: team(seconds, spec, name, namespace), ...rest };
}

type Said = NonNullable<(Step & { do: 'report' })['policies']>[number];

function reportOf(
  node: string,
  { exposed, skipped, tracker, findings: ofPods, ...said }: Said,
): NodePolicyReport {
  const ofNode = { reason: 'ShorterTrackerOnNode', node, message: 'conntrack 60 s' };
  const told = [...(tracker ? [ofNode] : []), ...ofPods];
  return {
    ...said,
    kind: said.namespace === undefined ? 'ClusterKeepalivePolicy' : 'KeepalivePolicy',
    live: Math.min(said.live, said.selected),
    ...(exposed === undefined ? {} : { connections: { established: 5, protected: 5 - exposed, exposed } }),
    ...(skipped === 0 ? {} : { skippedBy: [{ reason: 'HostNetwork', count: skipped }] }),
    ...(told.length === 0 ? {} : { findings: told, findingsTotal: told.length }),
  };
}
