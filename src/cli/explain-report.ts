import type { NodeKeepaliveStatus, NodePolicyReport } from '../api/node-keepalive.ts';
import type { Finding } from '../api/status.ts';
import { skipReasons } from '../api/status.ts';
import { bearingOf } from '../policy/coverage.ts';
import { openQuestions, rankOf } from '../policy/finding.ts';
import { digestOfPods, speaksOfOthers } from '../policy/pod-digest.ts';
import { describePolicy } from '../policy/policy.ts';
import { editionOf, speaksOf } from '../policy/policy-digest.ts';
import { valueOr } from './cluster.ts';
import type { NodeFacts, PodFacts } from './explain-facts.ts';
import type { Selecting } from './explain-policies.ts';
import { selectedBeside, selectsByLabels } from './explain-selection.ts';
import type { Statement } from './explanation.ts';
import { has, note, unknown, wrong } from './explanation.ts';

/** What the node of a pod reports. */
export interface Read {
  readonly node: string;
  readonly report: NodeKeepaliveStatus;
}

/** Or why there is nothing to go by. */
export function readOr({ pod, node }: Pick<PodFacts, 'pod' | 'node'>): Read | Statement {
  if (node === undefined) return note('it is on no node yet: nothing of it can have a connection');
  if (pod.ended) return note('it has ended');
  if (!pod.live) return note('it is ending, and not counted any more');
  if (pod.pending) return note('none of its containers has started yet');
  const report = reportOr(node);
  return 'is' in report ? report : { node: node.name, report };
}

export function reportOr(facts: NodeFacts): NodeKeepaliveStatus | Statement {
  const { name, report } = facts;
  const what = `what the kernel of ${name} holds`;
  if (!report.known) return unknown(`${what}: ${report.why}`);
  if (report.value === undefined)
    return unknown(
      `${what}: it has no NodeKeepalive, so no agent reports from there (\`keepalive doctor\` tells why)`,
    );
  const why = whyOld(facts);
  return why === undefined
    ? report.value
    : unknown(`${what}: ${why}, so what was reported last may be old (\`keepalive doctor\` tells why)`);
}

/** As the controller counts a node whose agent is not seen, whatever it reported before. */
function whyOld({ name, agents }: NodeFacts): string | undefined {
  if (!agents.known) return undefined;
  // Whoever may not read where they are looks where they usually are.
  if (agents.value.length === 0) return 'no pod of the agents is seen anywhere';
  const there = agents.value.filter(({ node }) => node === name);
  if (there.length === 0) return 'no agent runs there';
  return there.some(({ isReady }) => isReady) ? undefined : 'its agent is not ready';
}

/** Then its spec is all there is to go by. */
export function nobodyReads({ agents, node }: Pick<PodFacts, 'agents' | 'node'>): boolean {
  const isAbsent = node === undefined || (node.report.known && node.report.value === undefined);
  return isAbsent && agents.known && agents.value.length === 0;
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

/** Why what is told may not be told of this pod: another may have had its name, or it came since. */
export function doubt(
  told: NodePolicyReport,
  { policy }: Selecting,
  facts: PodFacts,
  node: string,
): Statement | undefined {
  const how = `how it stands to ${describePolicy(policy)}`;
  const soon = 'it reports within seconds after a change';
  const { selected, podsDigest } = told;
  if (!selectsByLabels(policy, facts)) return undefined;
  if (selected === 0) return unknown(`${how}: the report of ${node} counts no pod of it yet (${soon})`);
  const { uid } = facts.pod;
  if (!speaksOfOthers(told, uid)) return undefined;
  const pods = selectedBeside(policy, facts);
  if (selected > 1 && !pods.known)
    return unknown(`${how}: whether the report of ${node} speaks of it: ${pods.why}`);
  const there = valueOr(pods, []).map((pod) => pod.uid);
  if (there.includes(uid) && digestOfPods(there) === podsDigest) return undefined;
  return unknown(
    `${how}: the report of ${node} speaks of other pods than those that it selects there now (${soon})`,
  );
}

/** Nobody knows whether that is this pod, but a fault of its own must not vanish whenever another pod comes or goes. */
export function heardOf(findings: readonly Finding[], { policy }: Selecting): Statement[] {
  return findings.map(({ reason, message }) =>
    unknown(`${describePolicy(policy)}: the report said of a pod of this name: ${reason}: ${message}`),
  );
}

export function findingsAbout(pod: PodFacts['pod'], { findings = [] }: NodePolicyReport): readonly Finding[] {
  return findings.filter((one) => one.pod === pod.name && (one.namespace ?? pod.namespace) === pod.namespace);
}

const ofConnections: readonly string[] = [...openQuestions, 'ExposedConnections', 'UserTimeout'];

/** Said of what is covered in the kernel too. */
export function isOfConnections({ reason }: Finding): boolean {
  return ofConnections.includes(reason);
}

/** As the condition Covered takes it; `whose`: where it is not of what is explained itself. */
export function judged({ reason, message }: Finding, policy: string, whose = ''): Statement {
  const text = `${reason}${whose}: ${message}`;
  const bearing = bearingOf(reason);
  if (bearing === 'harmless') return note(text);
  if (bearing === 'open') return unknown(`${policy}: ${text}`);
  const isSkip = (skipReasons as readonly string[]).includes(reason);
  return wrong(`${policy}: ${text}`, isSkip ? undefined : text);
}

/** Of what is known not to hold enough: its faults, or that it has none that is told. */
export function notHeld(findings: readonly Finding[], policy: string, otherwise: string): Statement[] {
  const statements = findings.map((one) => judged(one, policy));
  if (has(statements, 'wrong')) return statements;
  const setBack = findings.find(({ reason }) => reason === 'Overridden');
  const todo = setBack && `${setBack.reason}: ${setBack.message}`;
  return [wrong(`${policy}: ${otherwise}`, todo), ...statements];
}

export function isWholeTold({ findings = [], findingsTotal = 0 }: NodePolicyReport): boolean {
  return findingsTotal <= findings.length;
}

const mildest = Math.max(...ofConnections.map(rankOf));

/** Of pods the worst comes first: where something milder is told of one, all is told that is about connections. */
export function tellsAllOfConnections(told: NodePolicyReport): boolean {
  const last = told.findings?.at(-1);
  return isWholeTold(told) || (last?.pod !== undefined && rankOf(last.reason) > mildest);
}
