import type { NodeKeepaliveStatus, NodePolicyReport } from '../api/node-keepalive.ts';
import type { Finding } from '../api/status.ts';
import { describePolicy } from '../policy/policy.ts';
import type { PodFacts } from './explain-facts.ts';
import type { Selecting } from './explain-policies.ts';
import {
  doubt,
  findingsAbout,
  heardOf,
  isOfConnections,
  isWholeTold,
  judged,
  nobodyReads,
  notHeld,
  readOr,
  reportOn,
} from './explain-report.ts';
import { selectsItsNetwork } from './explain-selection.ts';
import { bySpec } from './explain-spec.ts';
import type { Statement } from './explanation.ts';
import { fine, has, note, unknown } from './explanation.ts';
import { valuesText } from './status-output.ts';

/** What the agent of its node tells of it, policy by policy: only faults are told by name. */
export function kernelStatements(facts: PodFacts, selecting: readonly Selecting[]): Statement[] {
  const read = readOr(facts);
  if ('is' in read) return [read, ...(nobodyReads(facts) ? bySpec(facts, selecting) : [])];
  const { node, report } = read;
  const statements = selecting.flatMap((one) => {
    const told = reportOn(one, report, node);
    if ('is' in told) return [told];
    if (selectsItsNetwork(one.policy, facts)) return hostStatements(told, one, node);
    const doubted = doubt(told, one, facts, node);
    const findings = findingsAbout(facts.pod, told).filter((each) => !isOfConnections(each));
    return doubted === undefined ? standingsIn(told, findings, one) : [doubted, ...heardOf(findings, one)];
  });
  return facts.pod.hostNetwork ? [ownValues(report, node), ...statements] : statements;
}

/** Of the own network of a node, which its pods with hostNetwork use: what it holds was said before. */
export function hostStatements(told: NodePolicyReport, { policy }: Selecting, node: string): Statement[] {
  const name = describePolicy(policy);
  const { host, findings = [] } = told;
  const enough = `that is enough for ${name}`;
  const own = findings.filter((one) => one.pod === undefined && !isOfConnections(one));
  if (host === undefined) return [unknown(`whether ${enough}: the report of ${node} does not say`)];
  if (host === 'NotLive') return notHeld(own, name, 'that is not enough');
  return [fine(enough), ...own.map((one) => judged(one, name))];
}

/** By elimination, where every fault is named and none is of this pod. */
function standingsIn(
  told: NodePolicyReport,
  findings: readonly Finding[],
  { policy }: Selecting,
): Statement[] {
  const name = describePolicy(policy);
  const { live, pending = 0 } = told;
  if (live + pending === 0)
    return notHeld(
      findings,
      name,
      'its kernel does not hold enough: that of none of the pods that it selects there does',
    );
  const statements = findings.map((one) => judged(one, name));
  if (has(statements, 'wrong')) return statements;
  const isOverridden = findings.some(({ reason }) => reason === 'Overridden');
  return [byElimination(told, name, isOverridden), ...statements];
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

function ownValues({ host }: NodeKeepaliveStatus, node: string): Statement {
  if (host === undefined) return unknown(`what the own network of ${node} holds: its report does not say`);
  return note(`it uses the own network of ${node}, whose kernel holds ${valuesText(host.now)}`);
}
