import type { NodePolicyReport } from '../api/node-keepalive.ts';
import type {
  ConnectionTotals,
  Finding,
  HostCounts,
  NodeCounts,
  SkippedBy,
  SkipReason,
} from '../api/status.ts';
import { awayFinding } from './finding.ts';
import type { EffectivePolicy } from './policy.ts';
import type { NodeView } from './selection.ts';
import { selectsNode } from './selection.ts';

/** What the agents of the nodes say, as far as it concerns one policy. */
export interface NodeFacts {
  /** Whether there are agents at all: without them everything is judged by specs. */
  readonly anyAgent: boolean;
  /** Whether the agent of a node is ready and has reported something. */
  isReporting(node: string): boolean;
  /** What it said last of the policy. */
  reportOf(node: string): NodePolicyReport | undefined;
  readonly nodes: Iterable<NodeView>;
}

export const noAgents: NodeFacts = {
  anyAgent: false,
  isReporting: () => false,
  reportOf: () => undefined,
  nodes: [],
};

/**
 * `reported`: its agent holds this generation of the policy, and its word counts. `awaited`: its agent will say
 * something soon. `silent`: there is only the spec of its pods to go by.
 */
export type NodeState = 'reported' | 'awaited' | 'silent';

export function nodeStateOf(node: string | undefined, facts: NodeFacts, generation: number): NodeState {
  if (node === undefined || !facts.isReporting(node)) return 'silent';
  return facts.reportOf(node)?.observedGeneration === generation ? 'reported' : 'awaited';
}

export interface Rollup {
  readonly live: number;
  readonly skips: readonly SkipReason[];
  readonly nodes: NodeCounts;
  readonly hosts: HostCounts | undefined;
  /** Undefined where no node has looked at its connections yet. */
  readonly connections: ConnectionTotals | undefined;
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
  /** Nodes that do not hold this generation yet, in order. */
  readonly awaited: readonly string[];
}

/** Adds up what the nodes say: those that run selected pods, and those that the policy selects itself. */
export function rollUp(
  policy: EffectivePolicy,
  generation: number,
  { facts, withPods }: { readonly facts: NodeFacts; readonly withPods: ReadonlySet<string> },
): Rollup {
  const selected = [...facts.nodes].filter((node) => selectsNode(policy, node)).map(({ name }) => name);
  const concerned = [...new Set([...withPods, ...selected])].sort();
  const inState = (state: NodeState) =>
    concerned.filter((node) => nodeStateOf(node, facts, generation) === state);
  const reported = new Set(inState('reported'));
  const reports = [...reported].map((node) => facts.reportOf(node)).filter((report) => report !== undefined);
  const away = inState('silent').map(awayFinding);
  const asksForNodes = 'nodes' in policy.spec && policy.spec.nodes !== undefined;
  const hostsLive = selected.filter((node) => reported.has(node) && facts.reportOf(node)?.host === 'Live');
  return {
    live: sum(reports.map(({ live }) => live)),
    skips: reports.flatMap(({ skippedBy = [] }) => skippedBy).flatMap(repeat),
    nodes: { selected: concerned.length, reporting: concerned.length - away.length },
    hosts: asksForNodes ? hostsOf(selected.length, hostsLive.length) : undefined,
    connections: totalOf(reports.flatMap(({ connections }) => connections ?? [])),
    findings: [...away, ...reports.flatMap(({ findings = [] }) => findings)],
    findingsTotal: away.length + sum(reports.map(({ findingsTotal = 0 }) => findingsTotal)),
    awaited: inState('awaited'),
  };
}

function hostsOf(selected: number, live: number): HostCounts {
  return { selected, live, summary: `${live}/${selected}` };
}

function totalOf(connections: readonly ConnectionTotals[]): ConnectionTotals | undefined {
  if (connections.length === 0) return undefined;
  return {
    established: sum(connections.map(({ established }) => established)),
    protected: sum(connections.map((one) => one.protected)),
    exposed: sum(connections.map(({ exposed }) => exposed)),
    unknown: sum(connections.map(({ unknown = 0 }) => unknown)),
  };
}

function repeat({ reason, count }: SkippedBy[number]): SkipReason[] {
  return Array.from({ length: count }, () => reason);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
