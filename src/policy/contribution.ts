import type { NodePolicyReport } from '../api/node-keepalive.ts';
import type { ConnectionTotals, Finding } from '../api/status.ts';
import { skipReasons } from '../api/status.ts';
import type { Ranks } from './census.ts';
import { openQuestions, rankOf } from './finding.ts';
import { fnv1a } from './fnv.ts';
import { PackedRows } from './packed-rows.ts';
import { wasCut } from './report-budget.ts';

/** What one node adds to the status of one policy: all of its report but for the words about its pods. */
export interface Contribution {
  readonly observedGeneration: number;
  /** 0 where the agent is of a version that told none. */
  readonly policyDigest: number;
  readonly selected: number;
  readonly live: number;
  readonly pending: number;
  /** 0 where the agent is of a version that told none. */
  readonly podsDigest: number;
  /** In the order of skipReasons. */
  readonly skips: readonly number[];
  /** Pods that their specs alone would count as declared. */
  readonly unheeded: number;
  readonly host: NodePolicyReport['host'];
  readonly connections: ConnectionTotals | undefined;
  /** Places that are not in these yet. */
  readonly uncounted: number;
  readonly findingsTotal: number;
  /** There was no room for findings that it would list. */
  readonly isCut: boolean;
  /** What its findings leave unknown, pods or not: bits in the order of {@link openQuestions}. */
  readonly leavesOpen: number;
  /** Of the findings about pods. */
  readonly ranks: Ranks;
  /** Differs where any word of a finding does. */
  readonly digest: number;
  /** Findings about no pod: the same of many nodes are told together, so those of every node are needed. */
  readonly ofNode: readonly Finding[];
}

const isOfPod = ({ pod }: Finding) => pod !== undefined;

/** A node speaks of itself and its own pods: of hops and of other policies the controller does. */
function saidBy(node: string, { reason, message, namespace, pod }: Finding): Finding {
  if (pod === undefined) return { reason, node, message };
  return { reason, ...(namespace === undefined ? {} : { namespace }), pod, node, message };
}

export function podFindingsOf(node: string, { findings = [] }: NodePolicyReport): Finding[] {
  return findings.filter(isOfPod).map((finding) => saidBy(node, finding));
}

export function contributionOf(node: string, report: NodePolicyReport): Contribution {
  const { selected, live, pending = 0, skippedBy = [], findings = [] } = report;
  const { host, connections, unheeded = 0, uncounted = 0, findingsTotal = 0 } = report;
  return {
    ...subjectOf(report),
    ...{ selected, live, pending, unheeded, uncounted, host, findingsTotal },
    skips: skipReasons.map((reason) => skippedBy.find((one) => one.reason === reason)?.count ?? 0),
    connections: connections && { ...connections, unknown: connections.unknown ?? 0 },
    isCut: wasCut(report),
    leavesOpen: leftOpenBy(findings),
    ranks: findings.filter(isOfPod).reduce((ranks, { reason }) => ranks | (1 << rankOf(reason)), 0),
    digest: digestOf(findings),
    ofNode: findings.filter((finding) => !isOfPod(finding)).map((finding) => saidBy(node, finding)),
  };
}

/** Of which policy it speaks, and of which pods. */
function subjectOf({ observedGeneration, policyDigest = 0, podsDigest = 0 }: NodePolicyReport) {
  return { observedGeneration, policyDigest, podsDigest };
}

function leftOpenBy(findings: readonly Finding[]): number {
  const reasons = new Set(findings.map(({ reason }) => reason));
  return openQuestions.reduce((bits, question, at) => (reasons.has(question) ? bits | (1 << at) : bits), 0);
}

function digestOf(findings: readonly Finding[]): number {
  return findings.length === 0 ? 0 : fnv1a(JSON.stringify(findings));
}

const hosts = [undefined, 'Live', 'NotLive'] as const;
/** Of one policy, in this order; what comes after them are the skips. */
const figure = {
  ...{ observedGeneration: 0, selected: 1, live: 2, pending: 3, findingsTotal: 4, ranks: 5, digest: 6 },
  ...{ host: 7, isCut: 8, established: 9, protected: 10, exposed: 11, unknown: 12, unheeded: 13 },
  ...{ podsDigest: 14, uncounted: 15, policyDigest: 16, leavesOpen: 17 },
} as const;
const skipsAt = Object.keys(figure).length;
const width = skipsAt + skipReasons.length;
/** Where connections were not counted. */
const none = -1;

const noFindings: readonly Finding[] = [];

/** What a node adds to each policy that it speaks of, in some thirty bytes each and not in an object each. */
export class Contributions {
  /** Keys of policies in a store. */
  readonly policies: readonly string[];
  readonly figures: PackedRows;
  /** Findings about no pod, where there are any. */
  readonly ofNode: ReadonlyMap<string, readonly Finding[]>;

  constructor(said: ReadonlyMap<string, Contribution>) {
    this.policies = [...said.keys()];
    this.figures = new PackedRows([...said.values()].map(figuresOf));
    this.ofNode = new Map(
      [...said].flatMap(([key, { ofNode }]) => (ofNode.length === 0 ? [] : [[key, ofNode] as const])),
    );
  }

  /** `hint`: where it may be, as told by another node. -1 where it is not. */
  indexOf(policy: string, hint = 0): number {
    return this.policies[hint] === policy ? hint : this.policies.indexOf(policy);
  }

  /** Of the policy at that index. */
  at(index: number): Contribution | undefined {
    const policy = this.policies[index];
    if (policy === undefined) return undefined;
    const figures = this.#read(index);
    const of = (which: number) => figures[which] ?? 0;
    // Written out: it is read for each node at each look, and spreading takes three times as long.
    return {
      observedGeneration: of(figure.observedGeneration),
      selected: of(figure.selected),
      live: of(figure.live),
      pending: of(figure.pending),
      unheeded: of(figure.unheeded),
      podsDigest: of(figure.podsDigest),
      policyDigest: of(figure.policyDigest),
      leavesOpen: of(figure.leavesOpen),
      uncounted: of(figure.uncounted),
      findingsTotal: of(figure.findingsTotal),
      ranks: of(figure.ranks),
      digest: of(figure.digest),
      host: hosts[of(figure.host)],
      isCut: of(figure.isCut) === 1,
      connections: connectionsOf(figures),
      skips: skipsOf(figures),
      ofNode: this.ofNode.get(policy) ?? noFindings,
    };
  }

  /** Of the policy at that index: all else of it is not made up for this. */
  podsDigestAt(index: number): number {
    return this.#read(index)[figure.podsDigest] ?? 0;
  }

  /** Policies of which the two do not say the same. */
  static differing(one: Contributions | undefined, other: Contributions | undefined): string[] {
    const [inOne, inOther] = [placesIn(one), placesIn(other)];
    return [...new Set([...inOne.keys(), ...inOther.keys()])].filter(
      (policy) => !isSame([one?.figures, inOne.get(policy)], [other?.figures, inOther.get(policy)]),
    );
  }

  /** Policies of which one speaks, and the other no more. */
  static unsaid(one: Contributions | undefined, other: Contributions | undefined): string[] {
    const left = new Set(other?.policies);
    return (one?.policies ?? []).filter((policy) => !left.has(policy));
  }

  /** Until the next is read. */
  #read(index: number): Int32Array {
    this.figures.read(index, lastRead);
    return lastRead;
  }
}

const lastRead = new Int32Array(width);

/** For a moment: held for each node, it would be as large as all else of it. */
function placesIn(said: Contributions | undefined): ReadonlyMap<string, number> {
  return new Map((said?.policies ?? []).map((policy, index) => [policy, index]));
}

function connectionsOf(figures: Int32Array): ConnectionTotals | undefined {
  const established = figures[figure.established] ?? none;
  if (established === none) return undefined;
  return {
    established,
    protected: figures[figure.protected] ?? 0,
    exposed: figures[figure.exposed] ?? 0,
    unknown: figures[figure.unknown] ?? 0,
  };
}

const noSkips: readonly number[] = skipReasons.map(() => 0);

function skipsOf(figures: Int32Array): readonly number[] {
  for (let at = skipsAt; at < width; at += 1) if (figures[at] !== 0) return [...figures.subarray(skipsAt)];
  return noSkips;
}

type Place = readonly [figures: PackedRows | undefined, index: number | undefined];

/** Words of findings are in a digest among the figures. */
function isSame([ones, one]: Place, [others, other]: Place): boolean {
  if (ones === undefined || others === undefined || one === undefined || other === undefined)
    return one === other;
  return PackedRows.isSame(ones, one, others, other);
}

/** In the order of `figure`. */
function figuresOf(one: Contribution): number[] {
  const { connections: open } = one;
  return [
    ...[
      one.observedGeneration,
      one.selected,
      one.live,
      one.pending,
      one.findingsTotal,
      one.ranks,
      one.digest,
    ],
    ...[hosts.indexOf(one.host), one.isCut ? 1 : 0],
    ...[open?.established ?? none, open?.protected ?? 0, open?.exposed ?? 0, open?.unknown ?? 0],
    one.unheeded,
    ...[one.podsDigest, one.uncounted, one.policyDigest, one.leavesOpen],
    ...one.skips,
  ];
}
