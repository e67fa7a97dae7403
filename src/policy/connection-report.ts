import type { ConnectionTotals } from '../api/status.ts';
import type { ConnectionCounts, ExposedGroup, Exposure, LeftOut, SocketReading } from './connection.ts';
import type { Place } from './place.ts';
import type { Draft } from './finding.ts';
import { whoWouldAct } from './policy.ts';
import type { Reach } from './reach.ts';
import type { PodSelection, Selecting } from './selection.ts';
import { timeoutOf } from './socket-target.ts';
import { failureMessage, leftOutDraft } from './unreached.ts';
import { podFinding } from './standing.ts';

/** Whether findings may name the addresses of peers: a status is read by many. */
export type PeerAddresses = 'Show' | 'Hide';

export interface ConnectionReport {
  /** Undefined where nothing could be looked at: nobody knows how many there are. */
  readonly totals: ConnectionTotals | undefined;
  /** How many places there are of which nothing is in the totals, since nobody has looked at them yet. */
  readonly uncounted: number;
  readonly findings: readonly Draft[];
}

interface Input {
  readonly node: string;
  readonly sockets: ReadonlyMap<Place, SocketReading> | undefined;
  readonly peers: PeerAddresses;
  /** These have a kernel of their own, and no connection here. */
  readonly sandboxed?: ReadonlySet<Place>;
}

/** What one policy has to be told of the connections of this node; undefined while nobody has looked. */
export function connectionsOf(
  { selecting, places: reached }: Pick<Reach, 'selecting' | 'places'>,
  { node, sockets, peers, sandboxed = new Set() }: Input,
): ConnectionReport | undefined {
  if (sockets === undefined) return undefined;
  const timeout = timeoutOf(selecting);
  const places = reached.flatMap(({ place, pod }) => {
    const reading = sockets.get(place);
    return reading === undefined ? [] : [{ pod, reading, counts: reading.byTimeout[timeout] }];
  });
  const about = (pod: PodSelection['pod'] | undefined, reason: string, say: () => string): Draft =>
    pod === undefined ? { reason, node, say } : podFinding(pod, selecting.policy, { reason, say });
  return {
    totals: totalsOf(
      places.filter(wasSeen).map(({ counts }) => counts),
      reached.length > 0,
    ),
    uncounted: reached.filter(
      ({ place, pod }) =>
        (pod === undefined || pod.started) &&
        !sandboxed.has(place) &&
        sockets.get(place)?.byTimeout[timeout] === undefined,
    ).length,
    findings: places.flatMap(({ pod, reading, counts }) => [
      ...(counts?.worst ?? []).map((group) =>
        group.exposure === 'UserTimeout'
          ? about(pod, 'UserTimeout', () => groupMessage(group, peers, userTimeoutAdvice))
          : about(pod, 'ExposedConnections', () => groupMessage(group, peers, remedyOf(selecting))),
      ),
      ...Object.entries(reading.failures).map(([code, count]) =>
        about(pod, 'SocketsNotReachable', () => failureMessage(code, count)),
      ),
      ...leftOutOf(reading).map((finding) => about(pod, finding.reason, finding.say)),
    ]),
  };
}

/** A place whose processes could not be looked into tells of no connection, which is not to have none. */
function wasSeen<
  P extends { readonly reading: SocketReading; readonly counts: ConnectionCounts | undefined },
>(place: P): place is P & { readonly counts: ConnectionCounts } {
  const { reading, counts } = place;
  const isWhole = Object.keys({ ...reading.failures, ...reading.leftOut }).length === 0;
  return counts !== undefined && (counts.established > 0 || isWhole);
}

function leftOutOf({ leftOut }: SocketReading): Pick<Draft, 'reason' | 'say'>[] {
  return Object.entries(leftOut).map(([why, count]) => leftOutDraft(why as LeftOut, count));
}

function totalsOf(counts: readonly ConnectionCounts[], anyPlace: boolean): ConnectionTotals | undefined {
  if (anyPlace && counts.length === 0) return undefined;
  const sum = (field: keyof ConnectionTotals) => counts.reduce((total, one) => total + (one[field] ?? 0), 0);
  return {
    established: sum('established'),
    protected: sum('protected'),
    exposed: sum('exposed'),
    unknown: sum('unknown'),
  };
}

const causes: Readonly<Record<Exposure, string>> = {
  KeepaliveOff: 'its program did not ask for keepalive',
  LongerValues: 'its program set longer values of its own',
  ArmedLonger: 'its timer was armed before the values changed, and runs on',
  UserTimeout:
    'its program set a TCP_USER_TIMEOUT, which ends it after fewer lost probes than the policy would',
};

const userTimeoutAdvice =
  'raise that timeout above time + interval x probes, or let the program ask for keepalive with values that leave room for several probes';

function groupMessage(
  { program, exposure, peer, count }: ExposedGroup,
  peers: PeerAddresses,
  remedy: string,
): string {
  const what = count === 1 ? 'one connection' : `${count} connections`;
  const where = peers === 'Show' ? `, ${count === 1 ? 'to' : 'one of them to'} ${peer}` : '';
  // Where the kernel tells of it, nobody knows the program.
  const whose = program === '' ? '' : ` of ${program}`;
  return `${what}${whose}${where}: ${causes[exposure]}; ${remedy}`;
}

function remedyOf({ policy }: Selecting): string {
  const { mode, openConnections } = policy.spec;
  const repairs = openConnections === 'Repair';
  const who =
    repairs && policy.switchedOff ? whoWouldAct(policy) : 'mode Enforce with openConnections Repair';
  return mode === 'Enforce' && repairs
    ? 'the agent gives it keepalive unless its pod asks to be left alone'
    : `${who} would give it keepalive`;
}
