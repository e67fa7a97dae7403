import type { NodePolicyReport, ShortenedReport } from '../../src/api/node-keepalive.ts';
import type { ConnectionTotals, Finding, HostCounts, NodeCounts, SkipReason } from '../../src/api/status.ts';
import { awayFindings, openQuestions, someOf, unservedFindings } from '../../src/policy/finding.ts';
import type { EffectivePolicy } from '../../src/policy/policy.ts';
import { tooLongFindings, wasCut } from '../../src/policy/report-budget.ts';
import type { Known } from '../../src/policy/rollup.ts';
import type { NodeView } from '../../src/policy/selection.ts';
import { selectsNode } from '../../src/policy/selection.ts';

/** What the agents of the nodes say, as far as it concerns one policy. */
export interface PlainFacts {
  /** Whether there are agents at all: without them everything is judged by specs. */
  readonly anyAgent: boolean;
  /** Why there are none although there should be some. */
  readonly agentsMissing: Finding | undefined;
  /** Whether an agent is meant to be on a node: no DaemonSet can serve a virtual one. */
  isServed(node: string): boolean;
  /** Whether the agent of a node is ready and has reported something. */
  isReporting(node: string): boolean;
  /** What it said last of the policy. */
  reportOf(node: string): NodePolicyReport | undefined;
  /** Where it had no room for all that it had to say of the policies of this one's namespace. */
  shortenedOn(node: string): ShortenedReport | undefined;
  readonly nodes: Iterable<NodeView>;
}

/**
 * `reported`: its agent holds this generation of the policy, and its word counts. `awaited`: its agent will say
 * something soon. `untold`: its agent is there, and has no room for the policy in its report. `silent`: there is only the
 * spec of its pods to go by.
 */
export type NodeState = 'reported' | 'awaited' | 'untold' | 'silent';

export function nodeStateOf(node: string | undefined, facts: PlainFacts, generation: number): NodeState {
  if (node === undefined || !facts.isReporting(node)) return 'silent';
  const report = facts.reportOf(node);
  if (report === undefined) return (facts.shortenedOn(node)?.leftOut ?? 0) > 0 ? 'untold' : 'awaited';
  return report.observedGeneration === generation ? 'reported' : 'awaited';
}

/** The selected pods of one node. */
export interface PodsHere {
  selected: number;
  pending: number;
  /** By their specs. */
  declared: number;
}

export interface Rollup {
  readonly known: Known;
  readonly live: number;
  readonly unheeded: number;
  readonly skips: readonly SkipReason[];
  readonly nodes: NodeCounts;
  readonly hosts: HostCounts | undefined;
  /** Undefined where no node has looked at its connections yet. */
  readonly connections: ConnectionTotals | undefined;
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
  /** Nodes that do not hold this generation yet, in order. */
  readonly awaited: readonly string[];
  /** Nodes whose agent does not report, in order. */
  readonly away: readonly string[];
  /** Nodes in whose reports there was not room for all of the policy, in order. */
  readonly short: readonly string[];
}

/**
 * Adds up what the nodes say: those that run selected pods, and those that the policy selects itself. A node that does
 * not hold this generation yet is awaited, and counted with what it said of the one before: its pods did not lose their
 * values by an edit.
 */
export function rollUp(
  policy: EffectivePolicy,
  generation: number,
  { facts, withPods }: { readonly facts: PlainFacts; readonly withPods: ReadonlyMap<string, PodsHere> },
): Rollup {
  const selected = [...facts.nodes].filter((node) => selectsNode(policy, node)).map(({ name }) => name);
  const concerned = [...new Set([...withPods.keys(), ...selected])].sort();
  const inState = (state: NodeState) =>
    concerned.filter((node) => nodeStateOf(node, facts, generation) === state);
  const [reported, awaited, away] = [inState('reported'), inState('awaited'), inState('silent')];
  const sayingOf = (nodes: readonly string[]) => nodes.flatMap((node) => saying(node, { facts, withPods }));
  const present = sayingOf(reported);
  const short = concerned.filter((node) => isShort(node, facts, generation));
  const sayings = [...present, ...sayingOf(awaited)];
  const all = sayings.map(({ node, report, here }) => ({
    ...{ ...report, node },
    // A pod that is gone since is still in the word of its node for a while.
    live: Math.min(report.live, here.selected - here.pending),
  }));
  const asksForNodes = 'nodes' in policy.spec && policy.spec.nodes !== undefined;
  const hostsLive = all.filter(({ node, host }) => host === 'Live' && selected.includes(node));
  const hostsNotLive = present.filter(
    ({ node, report }) => report.host === 'NotLive' && selected.includes(node),
  );
  // Its labels may have changed since it reported.
  const hostUnread = present
    .filter(({ node, report }) => report.host === undefined && selected.includes(node))
    .map(({ node }) => node);
  const missing = [
    ...awayFindings(away.filter((node) => facts.isServed(node))),
    ...unservedFindings(away.filter((node) => !facts.isServed(node))),
  ];
  // A node speaks of itself and its own pods.
  const told = all.flatMap(({ node, findings = [] }) =>
    findings.map(({ hop: _hop, policy: _policy, namespace, ...one }) => ({
      ...(one.pod === undefined || namespace === undefined ? {} : { namespace }),
      ...{ ...one, node },
    })),
  );
  const tooLong = gatherNodes(
    short.flatMap((node) => tooLongFindings(policy, node, facts.shortenedOn(node))),
  );
  const gathered = gatherNodes(told);
  return {
    known: {
      ...knownOf(present),
      hostsNotLive: hostsNotLive.length,
      leftOpen: openQuestions.filter((question) => told.some(({ reason }) => reason === question)),
    },
    live: sum(all.map(({ live }) => live)),
    unheeded: sum(sayings.map(({ report: { unheeded = 0 }, here }) => Math.min(unheeded, here.declared))),
    skips: sayings.flatMap(skipsOf),
    nodes: { selected: concerned.length, reporting: concerned.length - away.length },
    hosts: asksForNodes ? hostsOf(selected.length, hostsLive.length) : undefined,
    connections: totalOf(all.flatMap(({ connections }) => connections ?? [])),
    findings: [...missing, ...tooLong, ...gathered],
    findingsTotal: sum([
      ...[missing.length, tooLong.length, gathered.length - told.length],
      ...all.map(({ findingsTotal = 0 }) => findingsTotal),
    ]),
    awaited: [...awaited, ...hostUnread].sort(),
    away,
    short,
  };
}

/** Whether there is something that its agent would say of the policy, and has no room for. */
function isShort(node: string, facts: PlainFacts, generation: number): boolean {
  const state = nodeStateOf(node, facts, generation);
  return state === 'untold' || (state !== 'silent' && wasCut(facts.reportOf(node)));
}

interface Saying {
  readonly node: string;
  readonly report: NodePolicyReport;
  readonly here: PodsHere;
}

function saying(
  node: string,
  { facts, withPods }: { readonly facts: PlainFacts; readonly withPods: ReadonlyMap<string, PodsHere> },
): Saying[] {
  const report = facts.reportOf(node);
  const here = withPods.get(node) ?? { selected: 0, pending: 0, declared: 0 };
  return report === undefined ? [] : [{ node, report, here }];
}

function knownOf(said: readonly Saying[]): Omit<Known, 'hostsNotLive' | 'leftOpen'> {
  const pods = said.map(({ report: { selected, live, pending = 0 }, here }) => {
    const notLive = Math.max(0, here.selected - here.pending - live);
    const uncovered = Math.min(notLive, Math.max(0, selected - live - pending));
    return { uncovered, unread: notLive - uncovered };
  });
  const connections = said.flatMap(({ report }) => report.connections ?? []);
  return {
    uncovered: sum(pods.map(({ uncovered }) => uncovered)),
    unread: sum(pods.map(({ unread }) => unread)),
    establishedConnections: sum(connections.map(({ established }) => established)),
    exposedConnections: sum(connections.map(({ exposed }) => exposed)),
    uncounted: said
      .filter(({ report: { connections, uncounted = 0 } }) => connections === undefined || uncounted > 0)
      .map(({ node }) => node),
  };
}

/** What is true of many nodes in the same words is one finding: it would hide everything else. */
function gatherNodes(findings: readonly Finding[]): Finding[] {
  const alike = Map.groupBy(findings, ({ pod, node, reason, message }) =>
    pod === undefined && node !== undefined ? `${reason} ${message}` : undefined,
  );
  return [...alike].flatMap(([words, group]) => {
    const [first] = group;
    if (words === undefined || first === undefined || group.length === 1) return group;
    const { node: _node, message, ...rest } = first;
    const nodes = group.flatMap(({ node }) => node ?? []).sort();
    return [{ ...rest, message: `on ${nodes.length} nodes (${someOf(nodes)}): ${message}` }];
  });
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

/** A node cannot have skipped more pods than it has. */
function skipsOf({ report: { skippedBy = [] }, here: { selected } }: Saying): SkipReason[] {
  return skippedBy
    .flatMap(({ reason, count }) => Array.from({ length: Math.min(count, selected) }, () => reason))
    .slice(0, selected);
}

const mostCounted = 2 ** 31 - 1;

/** The API keeps no larger number: where nodes say so much, what they say is wrong anyway. */
function sum(numbers: readonly number[]): number {
  return Math.min(
    mostCounted,
    numbers.reduce((total, number) => total + number, 0),
  );
}
