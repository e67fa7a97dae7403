import type { NodePolicyReport } from '../api/node-keepalive.ts';
import { findingLimit } from '../api/status.ts';
import { kernelDefaults, shorthand, tripleKeys } from '../api/triple.ts';
import type { ConnectionReport } from './connection-report.ts';
import { meets } from './enough.ts';
import type { Draft } from './finding.ts';
import { ownValuesChanged, skippedDraft, worstFirst } from './finding.ts';
import type { EffectivePolicy } from './policy.ts';
import { digestOfPolicy } from './policy-digest.ts';
import type { Reading } from './reading.ts';
import { digestOfPods } from './pod-digest.ts';
import { requirementOf } from './requirement.ts';
import { heedsSpec } from './runtime.ts';
import type { PodSelection, Selecting } from './selection.ts';
import { countSkips } from './skip.ts';
import type { Standing } from './standing.ts';
import { overrideMessage, podFinding } from './standing.ts';
import type { TrackerView } from './tracker.ts';
import { shorterTrackers } from './tracker.ts';

export type PolicyTotals = Omit<NodePolicyReport, 'findings'>;

export interface PodStanding {
  readonly pod: PodSelection['pod'];
  readonly reading: Reading | undefined;
  readonly standing: Standing;
}

interface HostStanding {
  readonly standing: Standing;
  readonly reading: Reading | undefined;
}

export interface PolicyFacts {
  readonly node: string;
  /** Undefined where it does not select the node. */
  readonly host: HostStanding | undefined;
  readonly pods: readonly PodStanding[];
  readonly connections: ConnectionReport | undefined;
  readonly trackers: readonly TrackerView[];
}

/** Its totals; never anything but whole. */
export function policyTotals({ record, policy }: Selecting, facts: PolicyFacts): PolicyTotals {
  const { host, pods, connections } = facts;
  const skippedBy = countSkips(
    pods.flatMap(({ standing }) => (standing.is === 'skipped' ? [standing.skip.reason] : [])),
  );
  const inState = (is: Standing['is']) =>
    pods.reduce((sum, { standing }) => sum + (standing.is === is ? 1 : 0), 0);
  const pending = inState('pending');
  const repaired = pods.reduce((sum, { reading }) => sum + (reading?.repaired ?? 0), 0);
  const unheeded = pods.filter((one) => isUnheeded(one, policy)).length;
  const findingsTotal = ofTheNode(policy, facts).length + ofItsPods(policy, facts).length;
  return {
    kind: record.kind,
    ...(record.namespace === '' ? {} : { namespace: record.namespace }),
    ...{ name: record.name, observedGeneration: record.generation },
    policyDigest: digestOfPolicy(record.uid, policy.effective),
    ...{ selected: pods.length, live: inState('live') },
    ...unlessZero({ pending, podsDigest: digestOfPods(pods.map(({ pod }) => pod.uid)) }),
    ...(skippedBy.length === 0 ? {} : { skippedBy }),
    ...unlessZero({ unheeded, repaired }),
    ...(host === undefined ? {} : { host: host.standing.is === 'live' ? 'Live' : 'NotLive' }),
    ...(connections?.totals === undefined ? {} : { connections: connections.totals }),
    ...unlessZero({ uncounted: connections?.uncounted ?? 0, findingsTotal }),
  };
}

/** In their order. */
function unlessZero<K extends string>(counts: Readonly<Record<K, number>>): Partial<Record<K, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as Partial<
    Record<K, number>
  >;
}

/** Its spec says what its kernel never hears. */
function isUnheeded({ pod, reading }: PodStanding, { effective }: EffectivePolicy): boolean {
  if (pod.declared === undefined || heedsSpec(reading?.sandbox)) return false;
  return meets(pod.declared, requirementOf(effective));
}

/** Worst first, at most findingLimit. */
export function policyFindings({ policy }: Selecting, facts: PolicyFacts): Draft[] {
  return [...ofTheNode(policy, facts), ...ofItsPods(policy, facts).sort(worstFirst)].slice(0, findingLimit);
}

function ofTheNode(policy: EffectivePolicy, { node, host, trackers }: PolicyFacts): Draft[] {
  return [...shorterTrackers(policy, trackers, node), ...hostFindings(host, node)];
}

function ofItsPods(policy: EffectivePolicy, { pods, connections }: PolicyFacts): Draft[] {
  return [...pods.flatMap((one) => podFindings(one, policy)), ...(connections?.findings ?? [])];
}

function hostFindings(host: HostStanding | undefined, node: string): Draft[] {
  if (host === undefined) return [];
  const { standing, reading } = host;
  if (standing.is === 'exposed') return [{ reason: standing.reason, node, say: standing.say }];
  return [...overrideOf(reading), ...ownValuesOf(reading)].map((finding) => ({ ...finding, node }));
}

function podFindings({ pod, reading, standing }: PodStanding, policy: EffectivePolicy): Draft[] {
  if (standing.is === 'exposed') return [podFinding(pod, policy, standing), ...guestOf(pod, policy)];
  if (standing.is === 'skipped') {
    const { reason, say } = skippedDraft(pod, standing.skip, policy);
    return [podFinding(pod, policy, { reason, say })];
  }
  if (standing.is === 'pending') return [];
  const seen = [...overrideOf(reading), ...ownValuesOf(reading, pod.changedFrom)];
  return [...guestOf(pod, policy), ...seen.map((finding) => podFinding(pod, policy, finding))];
}

/** What the kernel of the node holds for such a pod is all that anybody can read of it. */
function guestOf(pod: PodStanding['pod'], policy: EffectivePolicy): Draft[] {
  if (!pod.guest) return [];
  const say = () =>
    'a virtual machine runs in it, whose guest has a kernel of its own: connections of the guest are neither reached nor ' +
    `counted. Set the three sysctls in the guest to ${shorthand(policy.effective)} (in Windows KeepAliveTime of its registry), and ` +
    'let its programs ask for keepalive';
  return [podFinding(pod, policy, { reason: 'GuestNotReached', say })];
}

function overrideOf(reading: Reading | undefined): Pick<Draft, 'reason' | 'say'>[] {
  const override = reading?.override;
  return override === undefined ? [] : [{ reason: 'Overridden', say: () => overrideMessage(override) }];
}

/** What is held instead of values that somebody had set: those that every network starts with are nobody's. */
function ownValuesOf(reading: Reading | undefined, said?: string): Pick<Draft, 'reason' | 'say'>[] {
  const { found = {}, now = {} } = reading ?? {};
  const isSet = tripleKeys.some((key) => found[key] !== undefined && found[key] !== kernelDefaults[key]);
  const from = isSet ? tripleKeys.map((key) => found[key] ?? '-').join('/') : said;
  return from === undefined ? [] : [ownValuesChanged(from, now)];
}
