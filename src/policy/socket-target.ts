import type { LeftOut, SocketReading, SocketTarget } from './connection.ts';
import type { Place } from './place.ts';
import { HOST } from './place.ts';
import type { NodeSelections, PodSelection, Selecting, Selection } from './selection.ts';
import { isLeftAlone } from './skip.ts';
import type { Requirement } from './requirement.ts';
import { together, valuesFor } from './requirement.ts';

/**
 * Whose sockets have to be looked at on this node; pods of the host's network also for whoever selects the node. `sandboxed`:
 * these have a kernel of their own, and no socket here.
 */
export function socketTargets(
  { pods, host }: NodeSelections,
  sandboxed: ReadonlySet<Place> = new Set(),
): SocketTarget[] {
  const ofPods = pods
    .filter(({ pod }) => !sandboxed.has(pod.place))
    .map((selection) => ({
      ...targetOf(selection.pod.place, partsOf(selection, host)),
      namespace: selection.pod.namespace,
    }));
  return [targetOf(HOST, [host]), ...ofPods].filter(({ timeouts }) => timeouts.length > 0);
}

/** Places of which nobody can tell all that is asked. */
export function heldPlaces({ pods, host }: NodeSelections): ReadonlySet<Place> {
  const held = new Set<Place>(pods.filter(({ wanted }) => wanted.hold).map(({ pod }) => pod.place));
  if (host.wanted.hold) held.add(HOST);
  return held;
}

/** Those that are held are asked what they were before, and what others ask besides. */
export function heldTargets(
  selections: NodeSelections,
  now: readonly SocketTarget[],
  before: readonly SocketTarget[],
): SocketTarget[] {
  const held = heldPlaces(selections);
  const spared = held.has(HOST) ? sparedOfHost(selections) : new Set();
  const stays = before.flatMap((target) => {
    if (held.has(target.place)) return [target];
    return spared.has(target.place) ? [{ ...target, wanted: undefined }] : [];
  });
  const kept = new Map(stays.map((target) => [target.place, target]));
  const others = now.filter(({ place }) => !kept.has(place));
  const fresh = new Map(now.map((target) => [target.place, target]));
  return [...others, ...[...kept.values()].map((target) => both(target, fresh.get(target.place)))];
}

/** In its network, what is held of the host would be given to them if nobody knew them. */
function sparedOfHost({ pods }: NodeSelections): ReadonlySet<Place> {
  const spared = pods.filter(({ pod }) => pod.hostNetwork && isLeftAlone(pod));
  return new Set(spared.map(({ pod }) => pod.place));
}

function both(before: SocketTarget, now: SocketTarget | undefined): SocketTarget {
  const asked = [before.wanted, now?.wanted].filter((wanted) => wanted !== undefined);
  const timeouts = new Set([...before.timeouts, ...(now?.timeouts ?? [])]);
  return { ...before, wanted: together(asked), timeouts: [...timeouts].sort((a, b) => a - b) };
}

function partsOf(selection: PodSelection, host: Selection): Pick<Selection, 'by' | 'sockets'>[] {
  const { pod } = selection;
  if (!pod.hostNetwork) return [selection];
  return [selection, isLeftAlone(pod) ? { by: host.by, sockets: undefined } : host];
}

function targetOf(place: Place, parts: readonly Pick<Selection, 'by' | 'sockets'>[]): SocketTarget {
  const timeouts = parts.flatMap(({ by }) => by).map(timeoutOf);
  return {
    place,
    wanted: together(parts.map(({ sockets }) => sockets).filter((asked) => asked !== undefined)),
    timeouts: [...new Set(timeouts)].sort((a, b) => a - b),
  };
}

export function timeoutOf({ policy }: Selecting): number {
  return policy.effective.idleTimeoutSeconds;
}

/** No target speaks sooner than this, however short its timeout; nor is anyone looked at less often than the other. */
const bounds = { minSeconds: 1, maxSeconds: 30 };

/**
 * Seconds between two scans for new sockets: a socket that is met within half of the time before its first probe
 * is given keepalive before that is due. `undefined` where there is nobody to look at.
 */
export function scanPeriodSeconds(targets: readonly SocketTarget[]): number | undefined {
  if (targets.length === 0) return undefined;
  const times = targets.flatMap(({ wanted }) =>
    wanted === undefined ? [] : [valuesFor(wanted).timeSeconds],
  );
  const half = Math.min(...times, bounds.maxSeconds * 2) / 2;
  return Math.max(bounds.minSeconds, Math.min(bounds.maxSeconds, half));
}

/**
 * Seconds that each of two steps may take, as finding a connection that its program loosened and giving it keepalive again, so
 * that it still speaks in time after both; Infinity where nobody is given anything.
 */
export function stepSeconds(wanted: Iterable<SocketTarget['wanted']>): number {
  const halves = [...wanted].map((one) => (one === undefined ? Infinity : latestSeconds(one) / 2));
  return Math.max(bounds.minSeconds, Math.min(...halves));
}

/** Given keepalive by then, a connection that was opened now still speaks in time. */
function latestSeconds(wanted: Requirement): number {
  return wanted.idleTimeoutSeconds - valuesFor(wanted).timeSeconds;
}

/** Shorter than this a busy node makes anybody wait. */
const shortestToldMs = 10_000;

/**
 * What was seen of a place whose new sockets may not be met for so long, because looking takes long, there or
 * elsewhere: told where that is too late, and of one that is only counted where the count is older than what it is about.
 */
export function withUnmet(
  reading: SocketReading,
  { wanted, timeouts }: SocketTarget,
  unmetMs: number,
): SocketReading {
  const latest = wanted === undefined ? Math.min(...timeouts) : latestSeconds(wanted);
  if (unmetMs <= Math.max(shortestToldMs, latest * 1000)) return reading;
  // In steps, so that each look is not news.
  const Seldom = 2 ** Math.ceil(Math.log2(unmetMs / 1000));
  return { ...reading, leftOut: { ...reading.leftOut, Seldom } };
}

/** Of a place of which nobody can tell anything, and why. */
export function nothingSeen(
  { place, timeouts }: SocketTarget,
  leftOut: Readonly<Partial<Record<LeftOut, number>>>,
): SocketReading {
  const none = { established: 0, protected: 0, exposed: 0, unknown: 0, worst: [] };
  const byTimeout = Object.fromEntries(timeouts.map((seconds) => [seconds, none]));
  return { place, byTimeout, repaired: 0, failures: {}, leftOut };
}
