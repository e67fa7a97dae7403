import type { Finding } from '../api/status.ts';
import { skipReasons } from '../api/status.ts';
import type { EffectivePolicy } from './policy.ts';
import { givesUpEarly } from './patience.ts';
import { describePolicy, whoWouldAct } from './policy.ts';
import { proxyFinding } from './proxy.ts';
import { agents } from './remedy.ts';
import type { Rival } from './rival.ts';
import { bothOf } from './rival.ts';
import type { PodView } from './pod.ts';
import type { Skip } from './skip.ts';
import type { Triple } from '../api/triple.ts';
import { shorthand } from '../api/triple.ts';

/** A finding that is put into words only where there is room for it: most of those of a heap of policies never are. */
export interface Draft extends Omit<Finding, 'message'> {
  readonly say: () => string;
}

export function worded({ say, ...rest }: Draft): Finding {
  return { ...rest, message: say() };
}

/** Whether there are agents, and why not although there should be. */
interface Agents {
  readonly anyAgent: boolean;
  readonly agentsMissing: Finding | undefined;
}

/** Findings that hold whatever pods there are. */
export function generalFindings(
  { spec, effective }: EffectivePolicy,
  { anyAgent, agentsMissing }: Agents,
): Finding[] {
  const findings = spec.path.map(proxyFinding).filter((finding) => finding !== undefined);
  const early = givesUpEarly(effective);
  if (early !== undefined) findings.push(early);
  if (agentsMissing !== undefined) findings.push(agentsMissing);
  else if (!anyAgent && 'nodes' in spec && spec.nodes !== undefined) findings.push(nodesNotCovered);
  return findings;
}

/** Somebody's own values were changed: software that compares its pods with what it wrote has to hear of it. */
export function ownValuesChanged(from: string, to: Partial<Triple>): Pick<Draft, 'reason' | 'say'> {
  const { timeSeconds = '-', intervalSeconds = '-', probes = '-' } = to;
  return {
    reason: 'OwnValuesChanged',
    say: () =>
      `its own ${from} (time/interval/probes, - where it said nothing) was not enough and became ${timeSeconds}/${intervalSeconds}/${probes}: ` +
      'write values that are enough where it comes from, so that nothing has to be changed',
  };
}

const nodesNotCovered: Finding = {
  reason: 'NodesNotCovered',
  message:
    'spec.nodes asks for the network namespace of nodes, which only the node agent can change, and none runs: ' +
    `nodes and pods with hostNetwork keep the values they have. Install ${agents}; where it is installed, see which nodes it chooses`,
};

/** Nobody looks into the kernel of these nodes: one finding, or none, since many would hide everything else. */
export function awayFindings(nodes: readonly string[]): Finding[] {
  const whose = nodes.length === 1 ? 'its' : 'their';
  const message =
    `no agent reports from ${nodesOf(nodes)}, or nothing that can be read, so ${whose} running pods are judged by their ` +
    'specs alone: see whether nodes are Ready, whether a pod of the agents runs there, and whether the controller logs ' +
    'that a NodeKeepalive was left out';
  return aboutNodes(nodes, { reason: 'NodeAway', message });
}

/** No agent is meant to be there: Fargate, virtual kubelets, Windows, and what an overlay leaves out. */
export function unservedFindings(nodes: readonly string[]): Finding[] {
  const message =
    `the DaemonSet of the agents is not for ${nodesOf(nodes)}: new pods get their values from admission, where what ` +
    'runs them heeds the sysctls of a spec; running pods there have to be recreated, and are judged by their specs';
  return aboutNodes(nodes, { reason: 'NodesWithoutAgents', message });
}

/** Of a single node the field says which. */
function aboutNodes(nodes: readonly string[], finding: Finding): Finding[] {
  const [node] = nodes;
  if (node === undefined) return [];
  return [nodes.length === 1 ? { ...finding, node } : finding];
}

function nodesOf(nodes: readonly string[]): string {
  return nodes.length === 1 ? 'this node' : `${nodes.length} nodes (${someOf(nodes)})`;
}

const namedAtMost = 3;

/** `n1, n2, n3 and 17 more`: a message must not grow with the cluster, nor with what a tenant makes. */
export function someOf(names: readonly string[], atMost = namedAtMost): string {
  const named = names.slice(0, atMost).join(', ');
  return names.length > atMost ? `${named} and ${names.length - atMost} more` : named;
}

/** Why admission leaves new pods of a namespace as they are. */
export type Silence = 'Refused' | 'NotAsked';

const insteadOfAdmission: Readonly<Record<Silence, string>> = {
  Refused:
    'only a node agent can change that, since something refuses pods with the values there (AdmissionRefused)',
  NotAsked:
    'the webhook is not asked about new pods there, so run the node agent, or write the values into its template',
};

/** A pod that runs with looser values than the policy's and that admission would have changed, but for its silence. */
export function exposedDraft(pod: PodView, policy: EffectivePolicy, silence?: Silence): Draft {
  const { declared } = pod;
  if (declared === undefined)
    return { reason: 'UnreadableSysctl', ...whereabouts(pod, policy), say: () => unreadableSysctl };
  return {
    reason: 'NotDeclared',
    ...whereabouts(pod, policy),
    say: () => notDeclared(declared, policy, silence),
  };
}

const unreadableSysctl =
  'its spec sets a keepalive sysctl to something else than a plain whole number, which is left to ' +
  'the kernel: write it as such a number in its template, or remove it, and recreate the pod';

function notDeclared(declared: Triple, policy: EffectivePolicy, silence: Silence | undefined): string {
  const { effective, spec } = policy;
  const starts = `its spec starts it with ${shorthand(declared)}`;
  const enforced =
    silence === undefined ? `recreate it to start with ${shorthand(effective)}` : insteadOfAdmission[silence];
  const remedy =
    spec.mode === 'Enforce' ? enforced : `${whoWouldAct(policy)} would start it with ${shorthand(effective)}`;
  return `${starts}, which is not enough behind ${effective.idleTimeoutSeconds} s: ${remedy}`;
}

/** A pod that was made while admission looked away; `isJudged`: no agent will give it its values. */
export interface Missed {
  readonly pod: PodView;
  readonly isJudged: boolean;
}

/** Nobody can tell why: a restart of the API server, labels that came later, or whoever can write past admission. */
export function missedDraft({ pod, isJudged }: Missed, policy: EffectivePolicy): Draft {
  return { reason: 'MissedByAdmission', ...whereabouts(pod, policy), say: () => missed(policy, isJudged) };
}

function missed({ effective }: EffectivePolicy, isJudged: boolean): string {
  const remedy = isJudged
    ? `recreate it to start with ${shorthand(effective)}`
    : 'the agent of its node gives them to it';
  return (
    'it was made after the policy was in force, and without its values: admission looked away (the API server had just ' +
    'started, or had an error, or nobody answered it where it asks the webhook), or its labels are newer than it is. ' +
    capital(remedy)
  );
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function skippedDraft(pod: PodView, { reason, advice }: Skip, policy: EffectivePolicy): Draft {
  return { reason, ...whereabouts(pod, policy), say: () => `left as it is: ${advice}` };
}

export function stricterFinding({ effective }: EffectivePolicy, { policy: other, pods }: Rival): Finding {
  const policy = describePolicy(other);
  const [alone, both] = [other.effective, bothOf(effective, other.effective)].map(shorthand);
  const what =
    alone === both
      ? `is stricter and binds on ${pods} of the selected pods`
      : `is stricter in part: both together give ${both}, on ${pods} of the selected pods`;
  return { reason: 'StricterPolicy', policy, message: `${policy} (${alone}) ${what}` };
}

/** A namespaced policy need not say its own namespace. */
export function whereabouts(
  pod: PodView,
  { kind }: EffectivePolicy,
): Pick<Finding, 'namespace' | 'pod' | 'node'> {
  return {
    ...(kind === 'ClusterKeepalivePolicy' ? { namespace: pod.namespace } : {}),
    pod: pod.name,
    ...(pod.node === undefined ? {} : { node: pod.node }),
  };
}

/** After what is exposed: what is watched, what cannot be helped, and last what was asked for. */
const mildest: readonly string[] = [
  'GuestNotReached',
  'MissedByAdmission',
  'Overridden',
  'UserTimeout',
  ...skipReasons.filter((reason) => reason !== 'SkipLabel'),
  'OwnValuesChanged',
  'SkipLabel',
];

/** What nobody looked at is no counter-example, and no proof. */
export const openQuestions = [
  'SocketsNotReachable',
  'TooManySockets',
  'OtherTransport',
  'GuestNotReached',
] as const;
export type OpenQuestion = (typeof openQuestions)[number];

const rankBy = new Map(mildest.map((reason, index) => [reason, index + 1]));

/** 0 is the worst; less than `ranks`. */
export function rankOf(reason: string): number {
  return rankBy.get(reason) ?? 0;
}

export const ranks = mildest.length + 1;

/** The same order every time, so that a status changes only when the world did; by node first, since nodes tell of pods. */
export function worstFirst(a: Omit<Finding, 'message'>, b: Omit<Finding, 'message'>): number {
  return (
    Math.sign(rankOf(a.reason) - rankOf(b.reason)) ||
    compareText(a.node ?? '', b.node ?? '') ||
    compareText(a.namespace ?? '', b.namespace ?? '') ||
    compareText(a.pod ?? '', b.pod ?? '')
  );
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
