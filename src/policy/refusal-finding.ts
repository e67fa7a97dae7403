import type { Verdict } from '../api/condition.ts';
import type { Finding, Refusal } from '../api/status.ts';
import { someOf } from './finding.ts';
import type { Policy } from './policy.ts';
import { agents } from './remedy.ts';
import { trialAt, withheldOf } from './withholding.ts';

/** What is told of refusals depends on who else gives pods their values. */
export interface RefusedTo {
  readonly kind: Policy['kind'];
  readonly anyAgent: boolean;
}

/** So many refusers are named, first who refuses in most namespaces: a tenant may claim as many as he has namespaces. */
const namedAtMost = 5;

/** Who refuses, where, in which words, and what becomes of pods: one finding for each that refuses. */
export function refusalFindings(refusals: readonly Refusal[], to: RefusedTo): Finding[] {
  // Each may be a claim of its own namespace: whoever came later does not speak for the others.
  const oldestFirst = withheldOf(refusals).sort((a, b) => Date.parse(a.since) - Date.parse(b.since));
  const byRefuser = Map.groupBy(oldestFirst, ({ by }) => by);
  return [...byRefuser.values()]
    .sort((a, b) => b.length - a.length)
    .map((group) => findingOf(group, to))
    .filter((finding) => finding !== undefined)
    .slice(0, namedAtMost);
}

function findingOf(group: readonly Refusal[], { kind, anyAgent }: RefusedTo): Finding | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  const names = group.map(({ namespace }) => namespace).sort();
  const where = names.length === 1 ? 'here' : `in ${names.length} namespaces (${someOf(names)})`;
  const next = group.map(trialAt).sort()[0];
  const meanwhile = anyAgent
    ? 'get theirs from the agent of their node once they run'
    : 'start with what the kernel has, since no node agent runs';
  return {
    reason: 'AdmissionRefused',
    ...(kind === 'ClusterKeepalivePolicy' && names.length === 1 ? { namespace: first.namespace } : {}),
    message:
      `${first.by} refuses pods with the values ${where}: "${first.message}". So admission leaves new pods as they are, and ` +
      `they ${meanwhile}. It is tried again at ${next}, or when the policy changes: have it allow the three sysctls ` +
      'net.ipv4.tcp_keepalive_*, or leave it so',
  };
}

/** A policy of one namespace does nothing at all where pods are refused and no agent runs. */
export function refusalFault(
  refusals: readonly Refusal[],
  { kind, anyAgent }: RefusedTo,
): Verdict | undefined {
  const [first] = withheldOf(refusals);
  if (first === undefined || anyAgent || kind !== 'KeepalivePolicy') return undefined;
  return {
    kind: 'stalled',
    reason: 'AdmissionRefused',
    message:
      `Nothing is changed: ${first.by} refuses pods with the values ("${first.message}"), and no node agent runs that could give ` +
      `them to running pods. Have it allow the three sysctls net.ipv4.tcp_keepalive_*, or install ${agents}`,
  };
}

/** Of a policy that is in force elsewhere, or by agents, Ready says where it is so by these alone, or not at all. */
export function asRefused(
  verdict: Verdict,
  refusals: readonly Refusal[],
  { kind, anyAgent }: RefusedTo,
): Verdict {
  const names = withheldOf(refusals).map(({ namespace }) => namespace);
  if (verdict.kind !== 'ready' || names.length === 0) return verdict;
  const where =
    kind === 'KeepalivePolicy'
      ? ''
      : ` in ${names.length === 1 ? names[0] : `${names.length} namespaces (${someOf(names)})`}`;
  const what = anyAgent ? 'only once they run, from the agent of their node' : 'not at all';
  return {
    ...verdict,
    message: `${verdict.message}. New pods${where} get them ${what}: see AdmissionRefused in status.findings`,
  };
}
