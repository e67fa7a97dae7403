import type { ShortenedReport } from '../api/node-keepalive.ts';
import type { ConnectionTotals, Finding, HostCounts, NodeCounts } from '../api/status.ts';
import { skipReasons } from '../api/status.ts';
import { bounded } from './bounded.ts';
import type { Census } from './census.ts';
import { noPlace, waitingPlace } from './census.ts';
import type { Contribution } from './contribution.ts';
import { exposedHere } from './exposed-here.ts';
import type { OpenQuestion } from './finding.ts';
import { awayFindings, openQuestions, someOf, unservedFindings } from './finding.ts';
import { tooLongFindings } from './report-budget.ts';
import type { EffectivePolicy } from './policy.ts';
import type { Edition } from './policy-digest.ts';
import { speaksOf } from './policy-digest.ts';
import type { NodeView } from './selection.ts';
import { selectsNode } from './selection.ts';
import type { Worst } from './worst.ts';

/** What the agents of the nodes say, as far as it concerns one policy. */
export interface NodeFacts {
  /** Whether there are agents at all: without them everything is judged by specs. */
  readonly anyAgent: boolean;
  /** Why there are none although there should be some. */
  readonly agentsMissing: Finding | undefined;
  /** Whether an agent is meant to be on a node: no DaemonSet can serve a virtual one. */
  isServed(node: string): boolean;
  /** Whether the agent of a node is ready and has reported something. */
  isReporting(node: string): boolean;
  /** What it said last of the policy. */
  reportOf(node: string): Contribution | undefined;
  /** Where it had no room for all that it had to say of the policies of this one's namespace. */
  shortenedOn(node: string): ShortenedReport | undefined;
  readonly nodes: Iterable<NodeView>;
}

export const noAgents = {
  anyAgent: false,
  agentsMissing: undefined,
  isServed: () => true,
  isReporting: () => false,
  reportOf: () => undefined,
  shortenedOn: () => undefined,
  nodes: [],
} satisfies NodeFacts;

/**
 * `reported`: its agent holds this generation of the policy, and its word counts. `awaited`: its agent will say
 * something soon. `untold`: its agent is there, and has no room for the policy in its report. `silent`: there is only the
 * spec of its pods to go by.
 */
type NodeState = 'reported' | 'awaited' | 'untold' | 'silent';

/** What is known for certain: of nodes that hold the present generation. */
export interface Known {
  /** Pods that started and whose kernel, or whose spec, keeps them from being covered. */
  readonly uncovered: number;
  /** Pods that started and of which their node has not said anything yet. */
  readonly unread: number;
  readonly hostsNotLive: number;
  readonly establishedConnections: number;
  readonly exposedConnections: number;
  /** Nodes that have not looked at all of their connections yet, in order. */
  readonly uncounted: readonly string[];
  /** What any node says that it cannot tell: of findings only some are listed. */
  readonly leftOpen: readonly OpenQuestion[];
}

/** What is known where no agent runs: what specs say. */
export const bySpecs = (uncovered: number): Known => ({
  ...{
    uncovered,
    unread: 0,
    hostsNotLive: 0,
    establishedConnections: 0,
    exposedConnections: 0,
    ...{ uncounted: [], leftOpen: [] },
  },
});

export interface Rollup {
  readonly known: Known;
  readonly live: number;
  /** Pods that declare what their runtime does not heed. */
  readonly unheeded: number;
  /** In the order of skipReasons. */
  readonly skips: readonly number[];
  readonly nodes: NodeCounts;
  readonly hosts: HostCounts | undefined;
  /** Undefined where no node has looked at its connections yet. */
  readonly connections: ConnectionTotals | undefined;
  /** Those that are not about one pod. */
  readonly findings: readonly Finding[];
  /** Those about pods too, as far as nodes tell of them. */
  readonly findingsTotal: number;
  /** Nodes that do not hold this generation yet, in order. */
  readonly awaited: readonly string[];
  /** Nodes whose agent does not report, in order. */
  readonly away: readonly string[];
  /** Nodes in whose reports there was not room for all of the policy, in order. */
  readonly short: readonly string[];
}

/** A node that runs selected pods, or that the policy selects itself. */
interface Concerned {
  readonly node: string;
  readonly selected: number;
  readonly pending: number;
  readonly declared: number;
  readonly isSelected: boolean;
  /** Whether a report speaks of all pods that are there. */
  isRead(report: Contribution): boolean;
  /** At most so many of them it does not speak of. */
  unread(report: Contribution): number;
}

interface Rolled {
  readonly facts: NodeFacts;
  readonly census: Census;
  /** Told where nodes have something to tell of pods. */
  readonly worst: Worst;
}

/**
 * Adds up what the nodes say: those that run selected pods, and those that the policy selects itself. A node that does
 * not hold this generation yet is awaited, and counted with what it said of the one before: its pods did not lose their
 * values by an edit.
 */
export function rollUp(policy: EffectivePolicy, edition: Edition, { facts, census, worst }: Rolled): Rollup {
  const asksForNodes = 'nodes' in policy.spec && policy.spec.nodes !== undefined;
  const selected = asksForNodes
    ? new Set([...facts.nodes].filter((node) => selectsNode(policy, node)).map(({ name }) => name))
    : undefined;
  const sum = new Sum(facts, edition, worst);
  for (const node of concernedBy(census, selected)) {
    sum.add({
      ...{ node, selected: census.count(node, 'selected'), pending: census.count(node, 'pending') },
      ...{ declared: census.count(node, 'declared'), isSelected: selected?.has(node) === true },
      // An agent of a version that says nothing of it is believed.
      isRead: ({ podsDigest, live, selected: told }) =>
        podsDigest === 0 || census.isRead(node, podsDigest, live === told),
      unread: ({ podsDigest }) => (podsDigest === 0 ? 0 : census.unreadAt(node, podsDigest)),
    });
  }
  return sum.rollup(policy, selected?.size);
}

function* concernedBy(census: Census, selected: ReadonlySet<string> | undefined): Generator<string> {
  for (const place of census.places()) if (place !== noPlace && place !== waitingPlace) yield place;
  for (const node of selected ?? []) if (!census.has(node)) yield node;
}

class Sum {
  readonly #facts: NodeFacts;
  readonly #edition: Edition;
  readonly #worst: Worst;
  readonly #counts = { nodes: 0, live: 0, unheeded: 0, findings: 0, hostsLive: 0, hostsNotLive: 0 };
  readonly #known = { uncovered: 0, unread: 0, establishedConnections: 0, exposedConnections: 0 };
  readonly #skips = skipReasons.map(() => 0);
  readonly #connections = { established: 0, protected: 0, exposed: 0, unknown: 0 };
  #hasConnections = false;
  #leftOpen = 0;
  readonly #awaited: string[] = [];
  readonly #away: string[] = [];
  readonly #short: string[] = [];
  readonly #uncounted: string[] = [];
  readonly #ofNodes: Finding[] = [];

  constructor(facts: NodeFacts, edition: Edition, worst: Worst) {
    this.#facts = facts;
    this.#edition = edition;
    this.#worst = worst;
  }

  add(one: Concerned): void {
    this.#counts.nodes += 1;
    const report = this.#facts.isReporting(one.node) ? this.#facts.reportOf(one.node) : undefined;
    const state = this.#stateOf(one.node, report);
    this.#noteState(one, state, report);
    if (report === undefined) return;
    this.#worst.note(one.node, report.ranks);
    this.#addSaid(one, report);
    if (state === 'reported') this.#addKnown(one, report);
  }

  #noteState({ node, isSelected }: Concerned, state: NodeState, report: Contribution | undefined): void {
    if (state === 'silent') this.#away.push(node);
    if (state === 'untold' || report?.isCut) this.#short.push(node);
    // Its labels may have changed since it reported.
    const isUnread = state === 'reported' && isSelected && report?.host === undefined;
    if (state === 'awaited' || isUnread) this.#awaited.push(node);
  }

  #stateOf(node: string, report: Contribution | undefined): NodeState {
    if (!this.#facts.isReporting(node)) return 'silent';
    if (report === undefined) return (this.#facts.shortenedOn(node)?.leftOut ?? 0) > 0 ? 'untold' : 'awaited';
    return speaksOf(report, this.#edition) ? 'reported' : 'awaited';
  }

  #addSaid({ selected, pending, declared, isSelected }: Concerned, report: Contribution): void {
    const { live, unheeded, host, connections, skips, findingsTotal, ofNode } = report;
    // A pod that is gone since is still in the word of its node for a while.
    this.#counts.live += Math.min(live, selected - pending);
    this.#counts.unheeded += Math.min(unheeded, declared);
    if (host === 'Live' && isSelected) this.#counts.hostsLive += 1;
    this.#counts.findings += findingsTotal;
    this.#ofNodes.push(...ofNode);
    this.#leftOpen |= report.leavesOpen;
    // A node cannot have skipped more pods than it has.
    let left = selected;
    skips.forEach((count, index) => {
      const skipped = Math.min(count, left);
      left -= skipped;
      this.#skips[index] = (this.#skips[index] ?? 0) + skipped;
    });
    if (connections === undefined) return;
    this.#hasConnections = true;
    this.#connections.established += connections.established;
    this.#connections.protected += connections.protected;
    this.#connections.exposed += connections.exposed;
    this.#connections.unknown += connections.unknown ?? 0;
  }

  #addKnown(here: Concerned, report: Contribution): void {
    const { live, host } = report;
    const { selected } = here;
    const started = selected - here.pending;
    const notLive = Math.max(0, started - live);
    const uncovered = exposedHere(report, { selected, notLive, unread: here.unread(report) });
    this.#known.uncovered += uncovered;
    // Where one pod has taken the place of another, the numbers are the same.
    const leastUnread = started > 0 && !here.isRead(report) ? 1 : 0;
    this.#known.unread += Math.max(leastUnread, notLive - uncovered);
    if (host === 'NotLive' && here.isSelected) this.#counts.hostsNotLive += 1;
    this.#addKnownConnections(here.node, report);
  }

  #addKnownConnections(node: string, { connections, uncounted }: Contribution): void {
    if (connections === undefined || uncounted > 0) this.#uncounted.push(node);
    this.#known.establishedConnections += connections?.established ?? 0;
    this.#known.exposedConnections += connections?.exposed ?? 0;
  }

  rollup(policy: EffectivePolicy, hosts: number | undefined): Rollup {
    const facts = this.#facts;
    const { nodes, live, unheeded, hostsLive, hostsNotLive, findings: told } = this.#counts;
    for (const names of [this.#awaited, this.#away, this.#short, this.#uncounted]) names.sort();
    const missing = [
      ...awayFindings(this.#away.filter((node) => facts.isServed(node))),
      ...unservedFindings(this.#away.filter((node) => !facts.isServed(node))),
    ];
    const tooLong = gatherNodes(
      this.#short.flatMap((node) => tooLongFindings(policy, node, facts.shortenedOn(node))),
    );
    const gathered = gatherNodes(this.#ofNodes);
    return {
      known: {
        ...{ uncovered: bounded(this.#known.uncovered), unread: bounded(this.#known.unread), hostsNotLive },
        establishedConnections: bounded(this.#known.establishedConnections),
        exposedConnections: bounded(this.#known.exposedConnections),
        uncounted: this.#uncounted,
        leftOpen: openQuestions.filter((_, at) => (this.#leftOpen & (1 << at)) !== 0),
      },
      ...{ live: bounded(live), unheeded: bounded(unheeded), skips: this.#skips },
      nodes: { selected: nodes, reporting: nodes - this.#away.length },
      hosts: hosts === undefined ? undefined : hostsOf(hosts, hostsLive),
      connections: this.#hasConnections ? this.#totals() : undefined,
      findings: [...missing, ...tooLong, ...gathered],
      findingsTotal: bounded(missing.length + tooLong.length + gathered.length - this.#ofNodes.length + told),
      ...{ awaited: this.#awaited, away: this.#away, short: this.#short },
    };
  }

  #totals(): ConnectionTotals {
    const { established, protected: safe, exposed, unknown } = this.#connections;
    return {
      ...{ established: bounded(established), protected: bounded(safe) },
      ...{ exposed: bounded(exposed), unknown: bounded(unknown) },
    };
  }
}

/** What is true of many nodes in the same words is one finding: it would hide everything else. */
function gatherNodes(findings: readonly Finding[]): Finding[] {
  const alike = Map.groupBy(findings, ({ node, reason, message }) =>
    node === undefined ? undefined : `${reason} ${message}`,
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
