import type { NodeKeepaliveStatus, NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { readSettings } from '../../../src/api/settings.ts';
import type { PolicyStatus } from '../../../src/api/status.ts';
import type { AgentPod } from '../../../src/cli/agent-pods.ts';
import { known } from '../../../src/cli/cluster.ts';
import type { NodeFacts, PodFacts } from '../../../src/cli/explain-facts.ts';
import type { Explanation } from '../../../src/cli/explanation.ts';
import { nodePod } from '../../../src/policy/node-pod.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import type { PodSketch } from '../../support/builder.ts';
import { namespace, rawPod, sysctls, team } from '../../support/builder.ts';

export const inForce: PolicyStatus = {
  observedGeneration: 1,
  conditions: [
    {
      ...{ type: 'Ready', status: 'True', reason: 'Enforced', message: 'in force', observedGeneration: 1 },
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
};

export function recordOf(policy: EffectivePolicy, status: PolicyStatus = inForce): PolicyRecord {
  const { kind, namespace: of, name } = policy;
  return { kind, namespace: of, name, uid: name, generation: 1, policy, problems: undefined, status };
}

export const reportOn = (
  policy: EffectivePolicy,
  extra: Partial<NodePolicyReport> = {},
): NodePolicyReport => ({
  kind: policy.kind,
  ...(policy.namespace === '' ? {} : { namespace: policy.namespace }),
  ...{ name: policy.name, observedGeneration: 1, selected: 1, live: 1 },
  connections: { established: 1, protected: 1, exposed: 0 },
  ...extra,
});

export const agentOn = (node: string, isReady = true): AgentPod => ({
  ...{ uid: `agent-of-${node}`, namespace: 'keepalive-agent', name: `agent-of-${node}`, node, isReady },
});

export interface Sketch {
  readonly pod?: PodSketch;
  readonly policies?: readonly PolicyRecord[];
  readonly report?: NodeKeepaliveStatus | undefined;
  readonly facts?: Partial<PodFacts>;
}

export function factsOf({ pod = {}, policies = [], report, facts = {} }: Sketch): PodFacts {
  const raw = rawPod(pod);
  const shared = {
    cluster: known(policies.filter(({ kind }) => kind === 'ClusterKeepalivePolicy')),
    settings: known(readSettings({})),
    agents: facts.agents ?? known([agentOn('n1')]),
  };
  return {
    pod: nodePod({ ...raw, metadata: { ...raw.metadata, uid: 'u' } }),
    ...{ raw, namespace: known(namespace()) },
    namespaced: policies.filter(({ kind }) => kind === 'KeepalivePolicy'),
    node: { name: 'n1', node: known({ name: 'n1', labels: {} }), report: known(report), ...shared },
    ...{ unaskedIn: [], beside: { KeepalivePolicy: known([]), ClusterKeepalivePolicy: known([]) } },
    ...shared,
    ...facts,
  };
}

/** Of node n1, which a policy selects. */
export function factsOfNode(
  policy: EffectivePolicy,
  report: NodePolicyReport | undefined,
  agents: readonly AgentPod[] = [agentOn('n1')],
): NodeFacts {
  const now = { timeSeconds: 20, intervalSeconds: 7, probes: 6 };
  return {
    ...{ name: 'n1', node: known({ name: 'n1', labels: {} }), cluster: known([recordOf(policy)]) },
    ...{ settings: known(readSettings({})), agents: known(agents) },
    report: known(report && { host: { now }, policies: [report] }),
  };
}

export const nat = team(90);
export const covered: Sketch = {
  pod: { sysctls: sysctls() },
  policies: [recordOf(nat)],
  report: { policies: [reportOn(nat)] },
};

export const finding = (reason: string, pod = 'mongo-0') => ({
  reason,
  pod,
  node: 'n1',
  message: `${reason} it is`,
});

export const statementsOf = ({ parts }: Explanation) =>
  Object.values(parts)
    .flat()
    .map(({ is, text }) => `${is}: ${text}`);
