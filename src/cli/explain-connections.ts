import type { NodeKeepaliveStatus, NodePolicyReport } from '../api/node-keepalive.ts';
import type { ConnectionTotals, Finding } from '../api/status.ts';
import { bearingOf } from '../policy/coverage.ts';
import { someOf } from '../policy/finding.ts';
import { describePolicy } from '../policy/policy.ts';
import type { PodFacts } from './explain-facts.ts';
import type { Selecting } from './explain-policies.ts';
import type { Read } from './explain-report.ts';
import {
  doubt,
  findingsAbout,
  heardOf,
  isOfConnections,
  judged,
  tellsAllOfConnections,
  readOr,
  reportOn,
} from './explain-report.ts';
import { selectsItsNetwork } from './explain-selection.ts';
import type { Statement } from './explanation.ts';
import { fine, has, note, unknown, wrong } from './explanation.ts';
import { connectionsOf } from './status-output.ts';

/** How its connections stand, as far as they are told of by pod. */
export function connectionsOfPod(facts: PodFacts, selecting: readonly Selecting[]): Statement[] {
  const read = readOr(facts);
  // Said once, of the kernel.
  if (selecting.length === 0 || 'is' in read) return [];
  return each(read, selecting, (told, one) => {
    const doubted = doubt(told, one, facts, read.node);
    const own = findingsAbout(facts.pod, told).filter(isOfConnections);
    if (doubted === undefined) return ofPod(told, own, one);
    // Of its kernel it was not said where that of its node is told.
    return [...(selectsItsNetwork(one.policy, facts) ? [doubted] : []), ...heardOf(own, one)];
  });
}

export function connectionsOfNode(read: Read, selecting: readonly Selecting[]): Statement[] {
  return each(read, selecting, ofHost);
}

function each(
  { node, report }: Read,
  selecting: readonly Selecting[],
  tell: (told: NodePolicyReport, one: Selecting) => readonly Statement[],
): Statement[] {
  const statements = selecting.flatMap((one) => {
    const told = reportOn(one, report, node);
    return 'is' in told ? [] : tell(told, one);
  });
  return [...reachStatement(report, node), ...statements];
}

function reachStatement({ connections }: NodeKeepaliveStatus, node: string): Statement[] {
  if (connections === undefined) return [];
  const { by, why } = connections;
  const because = why === undefined ? '' : ` (${why})`;
  const words = {
    BPF: `the kernel of ${node} gives connections their values when they are established${because}`,
    Descriptors: `the agent of ${node} finds connections by the descriptors of programs, at most half a minute later${because}`,
    ValuesOnly: `on ${node} only connections of programs that ask for keepalive have it${because}`,
  };
  return [note(words[by])];
}

function ofPod(told: NodePolicyReport, own: readonly Finding[], { policy }: Selecting): readonly Statement[] {
  const name = describePolicy(policy);
  const ofPods = `of the pods that ${name} selects there`;
  const ofItsNode = 'of the own network of its node';
  return standingOf({
    ...{ told, name, own, others: [] },
    statements: own.map((one) => judged(one, name)),
    isAlone: told.selected === 1 && told.host === undefined,
    // Nothing is said of what nobody looked at.
    isCounted: own.length > 0,
    whose: told.host === undefined ? ofPods : told.selected === 0 ? ofItsNode : `${ofPods}, and ${ofItsNode}`,
  });
}

/**
 * Those of the own network of a node. Counted with them are those of all pods that the policy selects there, and none tells which of these use
 * that network, too; where it selects none, all pods that are named do.
 */
function ofHost(told: NodePolicyReport, { policy }: Selecting): readonly Statement[] {
  const name = describePolicy(policy);
  const { selected, findings = [] } = told;
  const isAlone = selected === 0;
  const said = findings.filter(isOfConnections);
  const ofNode = said.filter(({ pod }) => pod === undefined);
  const ofPods = said.filter(({ pod }) => pod !== undefined);
  const own = isAlone ? [...ofNode, ...ofPods] : ofNode;
  return standingOf({
    ...{ told, name, own, isAlone, isCounted: false },
    others: isAlone ? [] : ofPods.filter(({ reason }) => reason !== 'GuestNotReached'),
    statements: own.map((one) => judged(one, name, one.pod === undefined ? '' : ` of pod ${podName(one)}`)),
    whose: isAlone ? 'of its network' : `of its network, and of pods that ${name} selects there`,
  });
}

function podName({ namespace, pod }: Finding): string {
  return namespace === undefined ? `${pod}` : `${namespace}/${pod}`;
}

/** What is told to a policy of connections, of which some are those of what is explained. */
interface Sight {
  readonly told: NodePolicyReport;
  /** Of the policy. */
  readonly name: string;
  /** What is said of its own, and as it is to be told. */
  readonly own: readonly Finding[];
  readonly statements: readonly Statement[];
  /** What is said of those that may be its own. */
  readonly others: readonly Finding[];
  /** All that were counted are its own. */
  readonly isAlone: boolean;
  /** All of its own were counted, as far as anybody could. */
  readonly isCounted: boolean;
  /** Those that were counted. */
  readonly whose: string;
}

function standingOf(sight: Sight): readonly Statement[] {
  const { told, name, statements } = sight;
  if (has(statements, 'wrong')) return statements;
  const { connections } = told;
  const rest =
    connections === undefined
      ? unknown(`how its connections stand to ${name}: they were not counted yet`)
      : ofTotals(sight, connections);
  return rest.is === 'fine' && has(statements, 'unknown') ? statements : [...statements, rest];
}

/** Of what no finding calls exposed; by the first rule that has something to say. */
function ofTotals(sight: Sight, totals: ConnectionTotals): Statement {
  const there = `${sight.whose}: ${connectionsOf(totals)}`;
  for (const rule of rules) {
    const statement = rule(sight, { totals, there });
    if (statement !== undefined) return statement;
  }
  const none = 'none of its connections is exposed';
  return fine(
    totals.exposed === 0 ? `${none} (${there})` : `${none}: those that are belong to others (${there})`,
  );
}

interface Counted {
  readonly totals: ConnectionTotals;
  readonly there: string;
}

const rules: readonly ((sight: Sight, counted: Counted) => Statement | undefined)[] = [
  hasExposed,
  mayHaveExposed,
  mayBeUncounted,
  mayBeUnknown,
  mayBeUnseen,
];

function hasExposed({ name, isAlone }: Sight, { totals, there }: Counted): Statement | undefined {
  if (totals.exposed === 0 || !isAlone) return undefined;
  return wrong(`${name}: some of its connections are exposed (${there})`);
}

/** What is said of its own may be what is said of exposed ones: that of a TCP_USER_TIMEOUT is said of both kinds. */
function mayHaveExposed(sight: Sight, { totals, there }: Counted): Statement | undefined {
  const { told, own, others } = sight;
  const areOthers = own.length === 0 && others.length === 0 && tellsAllOfConnections(told);
  if (totals.exposed === 0 || areOthers) return undefined;
  return unknown(
    `whether the exposed connections are its own (${there}): ${sharers(others) ?? 'not all of them are named'}`,
  );
}

function mayBeUncounted({ told, name, isCounted }: Sight, { there }: Counted): Statement | undefined {
  const { uncounted = 0 } = told;
  if (uncounted === 0 || isCounted) return undefined;
  const places = uncounted === 1 ? 'one place' : `${uncounted} places`;
  return unknown(
    `how its connections stand to ${name}: those of ${places} there were not looked at yet, which may be its own (${there})`,
  );
}

function mayBeUnknown(_sight: Sight, { totals, there }: Counted): Statement | undefined {
  if ((totals.unknown ?? 0) === 0) return undefined;
  return unknown(`when some connections speak next, which may be its own (${there})`);
}

function mayBeUnseen({ told, others }: Sight, { there }: Counted): Statement | undefined {
  const unseen = others.filter(({ reason }) => bearingOf(reason) === 'open');
  const why = sharers(unseen) ?? (tellsAllOfConnections(told) ? undefined : 'not every finding is told');
  return why === undefined
    ? undefined
    : unknown(`whether all of its connections could be looked at (${there}): ${why}`);
}

/** Whose network is not told. */
function sharers(findings: readonly Finding[]): string | undefined {
  if (findings.length === 0) return undefined;
  const pods = someOf([...new Set(findings.map(podName))]);
  return `${pods} may use its network, as \`keepalive explain\` tells of each pod`;
}
