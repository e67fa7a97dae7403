import type { NodeKeepaliveStatus, NodePolicyReport } from '../api/node-keepalive.ts';
import type { ConnectionTotals, Finding } from '../api/status.ts';
import { skipReasons } from '../api/status.ts';
import { describePolicy } from '../policy/policy.ts';
import { editionOf, speaksOf } from '../policy/policy-digest.ts';
import type { NodeFacts, PodFacts } from './explain-facts.ts';
import type { Selecting } from './explain-policies.ts';
import type { Statement } from './explanation.ts';
import { fine, note, unknown, wrong } from './explanation.ts';
import { connectionsOf, valuesText } from './status-output.ts';

type Told = Pick<PodFacts, 'pod' | 'node'>;

/** What the agent of its node tells of it, policy by policy: only faults are told by name. */
export function kernelStatements(facts: Told, selecting: readonly Selecting[]): Statement[] {
  const early = beforeAnyReport(facts);
  if (early !== undefined) return [early];
  const { node, pod } = facts;
  if (node === undefined) return [];
  const report = reportOr(node);
  if ('is' in report) return [report];
  const statements = selecting.flatMap((one) => {
    const told = reportOn(one, report, node.name);
    return 'is' in told ? [told] : standingsIn(told, pod, one);
  });
  return pod.hostNetwork ? [ownValues(report, node.name), ...statements] : statements;
}

/** What decides it without asking anybody. */
function beforeAnyReport({ pod, node }: Told): Statement | undefined {
  if (node === undefined) return note('it is on no node yet: nothing of it can have a connection');
  if (pod.ended) return note('it has ended');
  return pod.pending ? note('none of its containers has started yet') : undefined;
}

function reportOr({ name, report }: NodeFacts): NodeKeepaliveStatus | Statement {
  if (!report.known) return unknown(`what the kernel of ${name} holds: ${report.why}`);
  return (
    report.value ??
    unknown(
      `what the kernel of ${name} holds: it has no NodeKeepalive, so no agent reports from there (\`keepalive doctor\` tells why)`,
    )
  );
}

/** What the report of a node says of one policy. */
export function reportOn(
  { record, policy }: Selecting,
  { policies = [], shortened = [] }: NodeKeepaliveStatus,
  node: string,
): NodePolicyReport | Statement {
  const told = policies.find(
    ({ kind, namespace = '', name }) =>
      kind === record.kind && namespace === record.namespace && name === record.name,
  );
  const name = describePolicy(policy);
  if (told === undefined) {
    const isShortened = shortened.some(({ namespace = '' }) => namespace === record.namespace);
    const why = isShortened ? 'there was no room for it' : 'it reports within seconds after a change';
    return unknown(`how it stands to ${name}: the report of ${node} does not speak of it (${why})`);
  }
  if (told.observedGeneration > record.generation || speaksOf(told, editionOf(record, policy.effective)))
    return told;
  if (told.observedGeneration === record.generation)
    return unknown(
      `how it stands to ${name}: the report of ${node} speaks of another that had its name, or of values that another version derives`,
    );
  return unknown(
    `how it stands to ${name}: the report of ${node} speaks of what it said before its last change`,
  );
}

/** Said of pods that are covered too, or of their connections. */
const ofConnections: readonly string[] = [
  'ExposedConnections',
  'UserTimeout',
  'SocketsNotReachable',
  'TooManySockets',
  'OtherTransport',
];
const remarks: readonly string[] = ['OwnValuesChanged', 'GuestNotReached', 'Overridden'];

function about(pod: PodFacts['pod'], { findings = [] }: NodePolicyReport): readonly Finding[] {
  return findings.filter((one) => one.pod === pod.name && (one.namespace ?? pod.namespace) === pod.namespace);
}

/** By elimination, where every fault is named and none is of this pod. */
function standingsIn(told: NodePolicyReport, pod: PodFacts['pod'], { policy }: Selecting): Statement[] {
  const name = describePolicy(policy);
  const findings = about(pod, told).filter(({ reason }) => !ofConnections.includes(reason));
  const faults = findings.filter(({ reason }) => !remarks.includes(reason));
  const others = findings.filter((one) => !faults.includes(one)).map(asNote);
  if (faults.length > 0) return [...faults.map((one) => asFault(one, name)), ...others];
  const isOverridden = findings.some(({ reason }) => reason === 'Overridden');
  return [byElimination(told, name, isOverridden), ...others];
}

function byElimination(told: NodePolicyReport, name: string, isOverridden: boolean): Statement {
  const { selected, live, pending = 0 } = told;
  const holds = `its kernel holds enough for ${name}`;
  if (live === selected)
    return fine(
      selected === 1
        ? `${holds}: the report of its node counts it as live`
        : `${holds}: so does that of all ${selected} pods that it selects there`,
    );
  if (isOverridden) return unknown(`whether ${holds}: something else sets its values back now and then`);
  return isWholeTold(told) && pending === 0
    ? fine(`${holds}: every fault of its node is named, and none is of this pod`)
    : unknown(
        `whether ${holds}: ${live} of ${selected} pods that it selects there do, and not every other one is named`,
      );
}

function isWholeTold({ findings = [], findingsTotal = 0 }: NodePolicyReport): boolean {
  return findingsTotal <= findings.length;
}

function asNote({ reason, message }: Finding): Statement {
  return note(`${reason}: ${message}`);
}

function asFault({ reason, message }: Finding, policy: string): Statement {
  if (reason === 'SkipLabel') return note(`${reason}: ${message}`);
  const isSkip = (skipReasons as readonly string[]).includes(reason);
  return wrong(`${policy}: ${reason}: ${message}`, isSkip ? undefined : `${reason}: ${message}`);
}

function ownValues({ host }: NodeKeepaliveStatus, node: string): Statement {
  if (host === undefined) return unknown(`what the own network of ${node} holds: its report does not say`);
  return note(`it uses the own network of ${node}, whose kernel holds ${valuesText(host.now)}`);
}

/** How its connections stand, as far as they are told of by pod. */
export function connectionStatements(facts: Told, selecting: readonly Selecting[]): Statement[] {
  const { node, pod } = facts;
  if (node === undefined || selecting.length === 0 || beforeAnyReport(facts) !== undefined) return [];
  const report = reportOr(node);
  // Said once, of the kernel.
  if ('is' in report) return [];
  return [
    ...reachStatement(report, node.name),
    ...selecting.flatMap((one) => {
      const told = reportOn(one, report, node.name);
      return 'is' in told ? [] : exposures(told, pod, one);
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
  const own = about(pod, told).filter(({ reason }) => ofConnections.includes(reason));
  if (own.length > 0)
    return own.map(({ reason, message }) => wrong(`${name}: ${reason}: ${message}`, `${reason}: ${message}`));
  const { connections } = told;
  return connections === undefined
    ? [unknown(`how its connections stand to ${name}: they were not counted yet`)]
    : [ofOthers(connections, name, isWholeTold(told))];
}

/** Of a pod that no finding names. */
function ofOthers(totals: ConnectionTotals, name: string, isWhole: boolean): Statement {
  const { exposed, unknown: uncounted = 0 } = totals;
  const there = `of the pods that ${name} selects there: ${connectionsOf(totals)}`;
  if (exposed > 0 && !isWhole)
    return unknown(`whether the exposed connections are its own (${there}): not every pod is named`);
  if (uncounted > 0) return unknown(`when some connections speak next, which may be its own (${there})`);
  return fine(
    exposed === 0
      ? `none of its connections is exposed (${there})`
      : `none of its connections is exposed: those that are belong to others (${there})`,
  );
}
