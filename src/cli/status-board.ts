import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import type { PolicyKind } from '../api/group.ts';
import type {
  Condition,
  ConditionType,
  ConnectionTotals,
  Effective,
  Finding,
  HostCounts,
  PodCounts,
} from '../api/status.ts';
import type { DaemonSetRecord } from '../policy/daemonset.ts';
import { compareText } from '../policy/finding.ts';
import { mayBeOn } from '../policy/placement.ts';
import type { NamespaceView } from '../policy/pod.ts';
import type { PolicyRecord } from '../policy/record.ts';
import type { AgentPod } from './agent-pods.ts';
import type { Answer } from './cluster.ts';
import { valueOr } from './cluster.ts';
import type { NodeReport, StatusFacts } from './status-facts.ts';

/** The cluster at a glance, worst first. */
export interface Board {
  readonly wrong: readonly Wrong[];
  readonly policies: readonly PolicyLine[];
  readonly nodes: readonly NodeLine[];
  /** What could not be read, and why. */
  readonly unknown: readonly string[];
}

export interface Wrong {
  /** `KeepalivePolicy db/behind-the-nat`, `node n1`. */
  readonly about: string;
  readonly reason: string;
  readonly message: string;
}

export interface PolicyLine {
  readonly kind: PolicyKind;
  readonly namespace?: string;
  readonly name: string;
  readonly mode?: 'Enforce' | 'Audit';
  readonly effective?: Effective;
  readonly pods?: PodCounts;
  readonly hosts?: HostCounts;
  readonly connections?: ConnectionTotals;
  readonly conditions: readonly Condition[];
  /** Worst first. */
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
}

/** `Silent`: an agent runs there and has not reported. `NotMeant`: the DaemonSet of the agents is not for it. */
export type AgentStanding = 'Reporting' | 'Silent' | 'NotReady' | 'Missing' | 'NotMeant' | 'Unknown';

export interface NodeLine {
  readonly name: string;
  readonly agent: AgentStanding;
  readonly report?: Omit<NodeReport, 'uid' | 'node'>;
}

export function boardOf(facts: StatusFacts): Board {
  const records = [...facts.namespaced, ...valueOr(facts.cluster, [])];
  const nodes = nodeLines(facts);
  const wrong = [
    ...records.flatMap((record) => wrongWith(record) ?? []),
    ...nodes.flatMap((node) => wrongAt(node) ?? []),
  ];
  return {
    wrong: wrong.sort(byGravity).map(({ about, reason, message }) => ({ about, reason, message })),
    policies: records.map(policyLine).sort(byName),
    nodes,
    unknown: unknowns(facts),
  };
}

function unknowns({ cluster, nodes, reports, agents, agentSets }: StatusFacts): string[] {
  const told: [what: string, answer: Answer<unknown>][] = [
    ['cluster policies', cluster],
    ['the nodes', nodes],
    ['what nodes report', reports],
    ['the agents', agents],
    ['on which nodes agents are meant to be', agentSets],
  ];
  return told.flatMap(([what, answer]) => (answer.known ? [] : [`${what}: ${answer.why}`]));
}

function policyLine({ kind, namespace, name, policy, status }: PolicyRecord): PolicyLine {
  const { effective, pods, hosts, connections, conditions = [], findings = [], findingsTotal = 0 } = status;
  return {
    kind,
    ...(namespace === '' ? {} : { namespace }),
    name,
    ...(policy === undefined ? {} : { mode: policy.spec.mode }),
    ...(effective === undefined ? {} : { effective }),
    ...(pods === undefined ? {} : { pods }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(connections === undefined ? {} : { connections }),
    ...{ conditions, findings, findingsTotal },
  };
}

/** The kind of what is wrong, the gravest first. */
const gravities = ['stalled', 'silent', 'not ready', 'node', 'not covered'] as const;
interface Grave extends Wrong {
  readonly gravity: (typeof gravities)[number];
}

function byGravity(a: Grave, b: Grave): number {
  return gravities.indexOf(a.gravity) - gravities.indexOf(b.gravity) || compareText(a.about, b.about);
}

function byName(a: PolicyLine, b: PolicyLine): number {
  return compareText(a.namespace ?? '', b.namespace ?? '') || compareText(a.name, b.name);
}

export function conditionOf(
  { conditions = [] }: { readonly conditions?: readonly Condition[] | undefined },
  type: ConditionType,
): Condition | undefined {
  return conditions.find((one) => one.type === type);
}

/** The first thing that is wrong with a policy: what comes after it follows from it, or can wait. */
function wrongWith(record: PolicyRecord): Grave | undefined {
  const { kind, namespace, name, status, generation } = record;
  const about = `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
  const told = (gravity: Grave['gravity'], condition: Condition | undefined) =>
    condition && { gravity, about, reason: condition.reason, message: condition.message };
  const [ready, covered] = [conditionOf(status, 'Ready'), conditionOf(status, 'Covered')];
  if (ready === undefined || status.observedGeneration !== generation) return { ...unseen, about };
  if (ready.status !== 'True') {
    const stalled = conditionOf(status, 'Stalled');
    return told(stalled?.status === 'True' ? 'stalled' : 'not ready', stalled ?? ready);
  }
  return covered?.status === 'False' ? told('not covered', covered) : undefined;
}

const unseen = {
  gravity: 'silent',
  reason: 'NotSeenYet',
  message:
    'no controller has looked at it since it was last changed: where that stays so for more than seconds, ' +
    '`keepalive doctor` tells why',
} as const;

function nodeLines(facts: StatusFacts): NodeLine[] {
  const reports = new Map(valueOr(facts.reports, []).map((one) => [one.node, one]));
  const agents = new Map(valueOr(facts.agents, []).map((one) => [one.node ?? '', one]));
  const nodes = facts.nodes.known
    ? facts.nodes.value
    : [...reports.keys()].map((name) => ({ name, labels: {} }));
  return [...nodes]
    .sort((a, b) => compareText(a.name, b.name))
    .map((node) => {
      const report = reports.get(node.name);
      return {
        name: node.name,
        agent: standingOf(node, { facts, agent: agents.get(node.name), report }),
        ...(report === undefined ? {} : { report: withoutNames(report) }),
      };
    });
}

function withoutNames({ uid: _uid, node: _node, ...rest }: NodeReport): Omit<NodeReport, 'uid' | 'node'> {
  return rest;
}

interface Seen {
  readonly facts: StatusFacts;
  readonly agent: AgentPod | undefined;
  readonly report: NodeReport | undefined;
}

function standingOf(node: NamespaceView, { facts, agent, report }: Seen): AgentStanding {
  if (!facts.agents.known) return 'Unknown';
  if (agent === undefined) return isMeant(node, facts.agentSets) ? 'Missing' : 'NotMeant';
  if (!agent.isReady) return 'NotReady';
  if (!facts.reports.known) return 'Unknown';
  return report === undefined ? 'Silent' : 'Reporting';
}

function isMeant(node: NamespaceView, agentSets: Answer<readonly DaemonSetRecord[]>): boolean {
  return valueOr(agentSets, []).some(({ placement, isEnding }) => !isEnding && mayBeOn(placement, node));
}

const faults: Readonly<Partial<Record<AgentStanding, string>>> = {
  Silent: 'its agent runs and has reported nothing yet: its log says why',
  NotReady: 'its agent is not ready, so what is told of the node may be old: `keepalive doctor` tells why',
  Missing:
    'no agent runs there, so running pods are judged by their specs, and nodes keep their values: `keepalive doctor` tells why',
};

function wrongAt({ name, agent, report }: NodeLine): Grave | undefined {
  const about = `node ${name}`;
  const message = faults[agent];
  if (message !== undefined) return { gravity: 'node', about, reason: `Agent${agent}`, message };
  if (report?.connections?.by !== 'ValuesOnly') return undefined;
  return { gravity: 'node', about, reason: 'ValuesOnly', message: reachOf(report.connections) };
}

/** How open connections are reached, in a few words. */
export function reachOf({ by, why }: NonNullable<NodeKeepaliveStatus['connections']>): string {
  const what = by === 'ValuesOnly' ? 'only programs that ask for keepalive have it' : by;
  return why === undefined ? what : `${what}: ${why}`;
}
