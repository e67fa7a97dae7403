import { timestamp } from '../api/condition.ts';
import type { Refusal } from '../api/status.ts';
import { refusalLimit } from '../api/status.ts';
import { pauseAfter } from './doubling-pause.ts';
import { actsOnPods } from './obstacle.ts';
import type { NamespaceView } from './pod.ts';
import type { Policy } from './policy.ts';
import { selectsNamespace } from './policy.ts';
import type { PolicyRecord } from './record.ts';
import type { Refused } from './refusal.ts';

/**
 * Where something else refuses the values, admission gives way: it is withheld in that namespace, for every policy that
 * acts there, and tried again after a while. A refusal is somebody's claim about his own namespace, so it is worth
 * nothing in any other; all that has to be remembered stands in the status, so that another leader goes on with it.
 */

/** The first time; each further time twice as long, up to a day. */
export const firstPauseMs = 600_000;
const longestPauseMs = 86_400_000;
/**
 * A refusal that was heard of later than this is no news: a ReplicaSet tries again after 1,000 s at most, and by then a
 * trial that followed it was over.
 */
const believedMs = 2 * firstPauseMs;

export interface Hearing {
  readonly record: PolicyRecord;
  /** The newest refusal of each namespace, in the order in which they are to have a place. */
  readonly heard: readonly Refused[];
  /** Those that had to leave the status for others, as they are being tried since. */
  readonly left: readonly Refusal[];
  namespaceOf(name: string): NamespaceView | undefined;
  readonly now: Date;
}

/** What the status says of refusals from now on. */
export function refusalsOf(policy: Policy, hearing: Hearing): Refusal[] {
  if (!actsOnPods(policy)) return [];
  const listed = byNamespace(hearing.record.status.refusals ?? []);
  const left = byNamespace(hearing.left);
  const heard = byNamespace(hearing.heard);
  const actsIn = (name: string) => {
    const namespace = hearing.namespaceOf(name);
    return namespace !== undefined && selectsNamespace(policy, namespace);
  };
  const becomes = (name: string) => next(listed.get(name) ?? left.get(name), heard.get(name), hearing) ?? [];
  const stay = [...listed.keys()].filter(actsIn).flatMap(becomes);
  const come = [...heard.keys()].filter((name) => !listed.has(name) && actsIn(name)).flatMap(becomes);
  return bounded(stay, withheldOf(come));
}

function byNamespace<T extends { readonly namespace: string }>(those: readonly T[]): Map<string, T> {
  return new Map(those.map((one) => [one.namespace, one]));
}

function next(
  before: Refusal | undefined,
  heard: Refused | undefined,
  { record, now }: Hearing,
): Refusal | undefined {
  if (before === undefined) return isNews(heard, record, now) ? withheld(heard, 1, now) : undefined;
  const isChanged = record.generation !== record.status.observedGeneration;
  const isOver = waitMs(before, now) === 0;
  if (before.admission === 'Withheld') return isChanged || isOver ? tried(before, heard, now) : before;
  // What lasted as long as the pause before it is worth a beginning.
  if (isNewer(heard, before)) return withheld(heard, isOver ? 1 : before.times + 1, now);
  return isChanged && isOver ? undefined : before;
}

function isNewer(heard: Refused | undefined, { refusedAt }: Refusal): heard is Refused {
  return heard !== undefined && heard.atMs > Date.parse(refusedAt);
}

/** One from before the policy was there is not about it. */
function isNews(heard: Refused | undefined, { createdAt }: PolicyRecord, now: Date): heard is Refused {
  if (heard === undefined || now.getTime() - heard.atMs >= believedMs) return false;
  return createdAt === undefined || heard.atMs >= Date.parse(createdAt);
}

function withheld({ namespace, atMs, by, words }: Refused, times: number, now: Date): Refusal {
  const refusedAt = new Date(atMs).toISOString();
  const since = timestamp(now);
  return { namespace, admission: 'Withheld', since, times, refusedAt, by, message: words };
}

/** Whatever was refused until now says nothing of the trial. */
function tried(before: Refusal, heard: Refused | undefined, now: Date): Refusal {
  const newestMs = Math.max(Date.parse(before.refusedAt), heard?.atMs ?? 0);
  const refusedAt = new Date(newestMs).toISOString();
  return { ...before, admission: 'Active', since: timestamp(now), refusedAt };
}

function pauseMs({ times }: Refusal): number {
  return pauseAfter(times, { firstMs: firstPauseMs, longestMs: longestPauseMs });
}

/** Until its pause is over. A clock that was set back makes it no longer than one pause. */
function waitMs(refusal: Refusal, now: Date): number {
  const pause = pauseMs(refusal);
  const waited = now.getTime() - Date.parse(refusal.since);
  return Math.max(0, pause - Math.max(0, waited));
}

/**
 * Where there are too many, those that come have a place, and those give way that are being tried, then those withheld the longest:
 * they are tried before their time, so that a pod is refused for a moment at worst, in whichever namespace, and nobody else is
 * withheld. By when the controller wrote it: the times of events are for whoever writes them to choose.
 */
function bounded(stay: readonly Refusal[], come: readonly Refusal[]): Refusal[] {
  const rank = ({ admission }: Refusal) => (admission === 'Withheld' ? 0 : 1);
  const age = ({ since }: Refusal) => -Date.parse(since);
  const latestFirst = [...stay].sort((a, b) => rank(a) - rank(b) || age(a) - age(b));
  return [...come, ...latestFirst].slice(0, refusalLimit).sort((a, b) => compare(a.namespace, b.namespace));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function withheldOf(refusals: readonly Refusal[]): Refusal[] {
  return refusals.filter(({ admission }) => admission === 'Withheld');
}

/** When the next trial is due. */
export function nextTrialMs(refusals: readonly Refusal[], now: Date): number | undefined {
  const waits = withheldOf(refusals).map((refusal) => waitMs(refusal, now));
  return waits.length === 0 ? undefined : Math.max(1, Math.min(...waits));
}

export function trialAt(refusal: Refusal): string {
  return timestamp(new Date(Date.parse(refusal.since) + pauseMs(refusal)));
}

/** What was withheld just now: for whoever tells it. */
export function newlyWithheld(before: readonly Refusal[], after: readonly Refusal[]): Refusal[] {
  const known = new Map(withheldOf(before).map((one) => [one.namespace, one.since]));
  return withheldOf(after).filter(({ namespace, since }) => known.get(namespace) !== since);
}

/** From when on a new pod of a namespace must have been given the values; undefined: from no moment on. */
export type GivenSince = (namespace: string) => number | undefined;

export function givenSince({ status, generation }: PolicyRecord): GivenSince {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const isInForce =
    ready?.status === 'True' && ready.reason === 'Enforced' && ready.observedGeneration === generation;
  if (!isInForce) return () => undefined;
  const since = Date.parse(ready.lastTransitionTime);
  const refusals = new Map((status.refusals ?? []).map((one) => [one.namespace, one]));
  return (namespace) => {
    const refusal = refusals.get(namespace);
    if (refusal?.admission === 'Withheld') return undefined;
    return Math.max(since, refusal === undefined ? since : Date.parse(refusal.since));
  };
}

/** What a count by {@link givenSince} depends on beside the spec: from when on pods must have been given the values, and where not. */
export function sinceOf(record: PolicyRecord): unknown {
  const { conditions = [], refusals } = record.status;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const isInForce = givenSince(record)('') !== undefined;
  return isInForce ? { since: ready?.lastTransitionTime, refusals } : undefined;
}
