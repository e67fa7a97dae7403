import type { Coverage } from '../api/condition.ts';
import type { ConnectionTotals, Finding, HostCounts, PodCounts } from '../api/status.ts';
import { openQuestions, someOf } from './finding.ts';
import type { OpenQuestion } from './finding.ts';
import type { Known, Rollup } from './rollup.ts';
import { silentReason } from './unheard.ts';

/** All that decides whether everything a policy selects is covered. */
export interface CoverageFacts {
  readonly pods: PodCounts;
  readonly hosts: HostCounts | undefined;
  readonly connections: ConnectionTotals | undefined;
  /** Worst first. */
  readonly findings: readonly Finding[];
  readonly known: Known;
  /** Undefined where no node agent runs. */
  readonly rollup: Rollup | undefined;
}

type Rule = (facts: CoverageFacts) => Coverage | undefined;

/**
 * The condition Covered, by the first rule that has something to say. One counter-example settles it; without one, what
 * nobody has read leaves it open; it is True only where all of it was read.
 */
export function coverageOf(facts: CoverageFacts): Coverage {
  const coverage = firstOf(rules, facts) ?? everything(facts);
  return { ...coverage, uncovered: uncoveredOf(facts), lasting: firstOf(lastingRules, facts)?.reason };
}

function firstOf(some: readonly Rule[], facts: CoverageFacts): Coverage | undefined {
  for (const rule of some) {
    const coverage = rule(facts);
    if (coverage !== undefined) return coverage;
  }
  return undefined;
}

/** Without what nobody has read yet: selected less live has pods that wait for their image, too. */
function uncoveredOf({ hosts, known, rollup }: CoverageFacts): Coverage['uncovered'] {
  if (rollup === undefined || rollup.nodes.reporting === 0) return undefined;
  const { uncovered: pods, hostsNotLive } = known;
  return hosts === undefined ? { pods } : { pods, hosts: hostsNotLive };
}

const rules: readonly Rule[] = [
  isPartlyExposed,
  selectsNothing,
  hasNoAgent,
  awaitsNodes,
  missesNodes,
  isNotToldAll,
  hasPendingPods,
  awaitsCounts,
  leavesOpen,
  hasGuests,
  hasUnknownConnections,
];

/** Where pods come all the time, one that was not read yet would hide these for ever. */
const lastingRules: readonly Rule[] = [isNotToldAll, leavesOpen];

/** Of a virtual machine it is how things are, and nobody can do anything about it. */
const isForSomebody = (question: OpenQuestion) => question !== 'GuestNotReached';

/** All that may be why nobody will be able to tell, beside what keeps a policy from being counted at all. */
export const lastingReasons: readonly string[] = [
  silentReason,
  'ReportTooLong',
  ...openQuestions.filter(isForSomebody),
];

/** What is told of a policy beside what is not covered. */
const harmless: readonly string[] = [
  ...[
    'NodeAway',
    'ReportTooLong',
    'ShorterTrackerOnNode',
    'StricterPolicy',
    'SettingsUnreadable',
    'RepairNotAllowed',
  ],
  ...['GivesUpEarly', 'OwnValuesChanged', 'UserTimeout', 'Overridden', 'GuestNotReached'],
];
const causes = ({ reason }: Finding) => !harmless.includes(reason);

/** What follows from a finding for what it names: it is not covered, nobody can tell whether it is, or neither. */
export type Bearing = 'uncovered' | 'open' | 'harmless';

export function bearingOf(reason: string): Bearing {
  if ((openQuestions as readonly string[]).includes(reason)) return 'open';
  return harmless.includes(reason) ? 'harmless' : 'uncovered';
}

/** A proxy counts data: no keepalive helps the connections that pass it. */
function isPartlyExposed({ pods, hosts, findings, known }: CoverageFacts): Coverage | undefined {
  const parts = [
    part(known.uncovered, pods.selected, 'pods'),
    part(known.hostsNotLive, hosts?.selected ?? 0, 'nodes'),
    part(known.exposedConnections, known.establishedConnections, 'connections'),
  ].filter((text) => text !== undefined);
  const worst = findings.find(causes);
  if (parts.length === 0 && worst?.hop === undefined) return undefined;
  const what =
    parts.length === 0 ? 'What passes a proxy of the path is not covered' : `Not covered: ${listed(parts)}`;
  const message = worst === undefined ? what : `${what}. ${described(worst)}`;
  return { status: 'False', reason: 'NotCovered', message };
}

function part(count: number, of: number, what: string): string | undefined {
  return count === 0 ? undefined : `${count} of ${of} ${what}`;
}

function listed(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function described(finding: Finding): string {
  const where = whereOf(finding);
  return `The worst is ${finding.reason}${where === undefined ? '' : ` of ${where}`}: status.findings says what to do`;
}

function whereOf({ namespace, pod, node, hop }: Finding): string | undefined {
  if (pod !== undefined) return `pod ${namespace === undefined ? '' : `${namespace}/`}${pod}`;
  return hop ?? (node === undefined ? undefined : `node ${node}`);
}

/** A wrong selector is the most frequent mistake, and nothing that was read is no proof. */
function selectsNothing({ pods, hosts }: CoverageFacts): Coverage | undefined {
  if (pods.selected > 0 || (hosts?.selected ?? 0) > 0) return undefined;
  return {
    status: 'Unknown',
    reason: 'NothingSelected',
    message:
      'Nothing that it selects is there, so there is nothing to read: see whether the selector is right',
  };
}

function hasNoAgent({ pods: { pending = 0 }, rollup }: CoverageFacts): Coverage | undefined {
  if (rollup !== undefined && rollup.nodes.reporting > 0) return undefined;
  // What waits for a node has no agent yet that could report of it, however many do of other nodes.
  if (rollup?.nodes.selected === 0 && pending > 0) return undefined;
  return {
    status: 'Unknown',
    reason: 'NoAgent',
    message: 'No node agent reports, and only an agent reads the kernel: the counts are those of specs',
  };
}

function awaitsNodes({ rollup }: CoverageFacts): Coverage | undefined {
  const { awaited = [] } = rollup ?? {};
  if (awaited.length === 0) return undefined;
  return {
    status: 'Unknown',
    reason: 'AwaitingNodes',
    message: `The agents of ${someOf(awaited)} have not reported on this generation yet`,
  };
}

function missesNodes({ rollup }: CoverageFacts): Coverage | undefined {
  const { away = [] } = rollup ?? {};
  if (away.length === 0) return undefined;
  const message = `No agent reports from ${someOf(away)}: nobody reads what the kernel there holds`;
  return { status: 'Unknown', reason: 'NodeAway', message };
}

/** A finding that was cut might be the counter-example. */
function isNotToldAll({ rollup }: CoverageFacts): Coverage | undefined {
  const { short = [] } = rollup ?? {};
  if (short.length === 0) return undefined;
  const message = `The report of ${someOf(short)} has no room for all that there is to say of it: the finding ReportTooLong says why`;
  return { status: 'Unknown', reason: 'ReportTooLong', message };
}

function hasPendingPods({ pods: { pending = 0, selected }, known }: CoverageFacts): Coverage | undefined {
  const unread = pending + known.unread;
  if (unread === 0) return undefined;
  const message = `${unread} of ${selected} pods have not started, or have not been read by the agent of their node yet`;
  return { status: 'Unknown', reason: 'PodsPending', message };
}

function awaitsCounts({ known: { uncounted } }: CoverageFacts): Coverage | undefined {
  if (uncounted.length === 0) return undefined;
  const message = `The open connections on ${someOf(uncounted)} have not been counted yet, which takes up to a minute`;
  return { status: 'Unknown', reason: 'ConnectionsNotCounted', message };
}

function leavesOpen({ known: { leftOpen } }: CoverageFacts): Coverage | undefined {
  const reason = leftOpen.find(isForSomebody);
  if (reason === undefined) return undefined;
  return {
    status: 'Unknown',
    reason,
    message: 'Every pod is covered, but not all open connections can be looked at: status.findings says why',
  };
}

/** The pod is covered; of what runs inside of its virtual machine nobody knows. */
function hasGuests({ known: { leftOpen } }: CoverageFacts): Coverage | undefined {
  if (!leftOpen.includes('GuestNotReached')) return undefined;
  const message =
    'Every pod is covered, but nobody reads the connections of the virtual machines that run in some: status.findings says what to set there';
  return { status: 'Unknown', reason: 'GuestNotReached', message };
}

function hasUnknownConnections({ connections }: CoverageFacts): Coverage | undefined {
  const { unknown = 0, established = 0 } = connections ?? {};
  if (unknown === 0) return undefined;
  const message = `Of ${unknown} of ${established} open connections nobody can tell when they speak next: mode Enforce with openConnections Repair gives them keepalive anew`;
  return { status: 'Unknown', reason: 'ConnectionsUnknown', message };
}

function everything({ pods, hosts, connections }: CoverageFacts): Coverage {
  const what = [
    ...(pods.selected === 0 ? [] : [counted(pods.selected, 'pod')]),
    ...(hosts === undefined || hosts.selected === 0 ? [] : [counted(hosts.selected, 'node')]),
    ...(connections === undefined ? [] : [counted(connections.established, 'open connection')]),
  ];
  return { status: 'True', reason: 'AllCovered', message: `Read in the kernel and covered: ${listed(what)}` };
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
