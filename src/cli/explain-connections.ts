import type { NodeKeepaliveStatus, NodePolicyReport } from '../api/node-keepalive.ts';
import type { ConnectionTotals, Finding } from '../api/status.ts';
import { describePolicy } from '../policy/policy.ts';
import type { PodFacts } from './explain-facts.ts';
import type { Selecting } from './explain-policies.ts';
import {
  findingsAbout,
  isOfConnections,
  judged,
  tellsAllOfConnections,
  readOr,
  reportOn,
} from './explain-report.ts';
import type { Statement } from './explanation.ts';
import { fine, has, note, unknown, wrong } from './explanation.ts';
import { connectionsOf } from './status-output.ts';

/** How its connections stand, as far as they are told of by pod. */
export function connectionStatements(facts: PodFacts, selecting: readonly Selecting[]): Statement[] {
  const read = readOr(facts);
  // Said once, of the kernel.
  if (selecting.length === 0 || 'is' in read) return [];
  const { node, report } = read;
  return [
    ...reachStatement(report, node),
    ...selecting.flatMap((one) => {
      const told = reportOn(one, report, node);
      return 'is' in told ? [] : exposures(told, facts.pod, one);
    }),
  ];
}

export function reachStatement({ connections }: NodeKeepaliveStatus, node: string): Statement[] {
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

function exposures(told: NodePolicyReport, pod: PodFacts['pod'], { policy }: Selecting): Statement[] {
  const name = describePolicy(policy);
  return standingOf({
    ...{ told, name, own: findingsAbout(pod, told).filter(isOfConnections) },
    isAlone: told.selected === 1 && told.host === undefined,
    whose: `of the pods that ${name} selects there`,
  });
}

/** What is told to a policy of connections, of which some are those of what is explained. */
interface Sight {
  readonly told: NodePolicyReport;
  /** Of the policy. */
  readonly name: string;
  /** What is said of its own. */
  readonly own: readonly Finding[];
  /** All that were counted are its own. */
  readonly isAlone: boolean;
  /** Those that were counted. */
  readonly whose: string;
}

function standingOf(sight: Sight): Statement[] {
  const { told, name, own } = sight;
  const statements = own.map((one) => judged(one, name));
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
  mayBeUnknown,
  mayBeUnseen,
];

function hasExposed({ name, isAlone }: Sight, { totals, there }: Counted): Statement | undefined {
  if (totals.exposed === 0 || !isAlone) return undefined;
  return wrong(`${name}: some of its connections are exposed (${there})`);
}

/** What is said of its own may be what is said of exposed ones: that of a TCP_USER_TIMEOUT is said of both kinds. */
function mayHaveExposed({ told, own }: Sight, { totals, there }: Counted): Statement | undefined {
  if (totals.exposed === 0 || (own.length === 0 && tellsAllOfConnections(told))) return undefined;
  return unknown(`whether the exposed connections are its own (${there}): not all of them are named`);
}

function mayBeUnknown(_sight: Sight, { totals, there }: Counted): Statement | undefined {
  if ((totals.unknown ?? 0) === 0) return undefined;
  return unknown(`when some connections speak next, which may be its own (${there})`);
}

function mayBeUnseen({ told }: Sight, { there }: Counted): Statement | undefined {
  if (tellsAllOfConnections(told)) return undefined;
  return unknown(`whether all of its connections could be looked at (${there}): not every finding is told`);
}
