import { derive } from '../api/derive.ts';
import type { Triple } from '../api/triple.ts';
import { amend, isEnough } from './enough.ts';
import type { Requirement } from './requirement.ts';
import { valuesFor } from './requirement.ts';
import type { Place } from './place.ts';

/** One TCP connection as decisions see it. */
export interface ConnectionView {
  /** Nothing that forgets stands between it and its peer. */
  readonly loopback: boolean;
  /** Whether the program asked for keepalive. */
  readonly keepalive: boolean;
  /** Its own values, or those of its network namespace. */
  readonly values: Triple;
  /**
   * Milliseconds until its keepalive timer expires; `none` where none runs, as while data is on its way; `unknown` where the kernel
   * does not find the connection by its addresses.
   */
  readonly timerMs: number | 'none' | 'unknown';
  /** TCP_USER_TIMEOUT in milliseconds; 0 where the program set none. */
  readonly userTimeoutMs: number;
}

/**
 * Why a connection is exposed: it never speaks, it speaks too late, its timer was armed before values changed, or it never
 * speaks and would be ended by its own TCP_USER_TIMEOUT if it did.
 */
export type Exposure = 'KeepaliveOff' | 'LongerValues' | 'ArmedLonger' | 'UserTimeout';
export type Judgement = 'exempt' | 'protected' | 'unknown' | Exposure;

/** Between two looks at clocks that do not tick together. */
const timerSlackMs = 1000;

/** Whether a connection outlives an idle timeout. */
export function judgeConnection(connection: ConnectionView, idleTimeoutSeconds: number): Judgement {
  const { loopback, keepalive, values, timerMs } = connection;
  if (loopback) return 'exempt';
  if (!keepalive) {
    const given = derive(idleTimeoutSeconds);
    return lostProbes({ ...connection, values: given }) < given.probes ? 'UserTimeout' : 'KeepaliveOff';
  }
  if (!isEnough(values, idleTimeoutSeconds)) return 'LongerValues';
  if (timerMs === 'unknown') return 'unknown';
  return isArmedLonger(connection) ? 'ArmedLonger' : 'protected';
}

/** Whether the program's own timeout ends a connection that speaks after fewer lost probes than ours would. */
export function isFragile(connection: ConnectionView, idleTimeoutSeconds: number): boolean {
  const { loopback, keepalive, userTimeoutMs } = connection;
  if (loopback || !keepalive || userTimeoutMs === 0) return false;
  return lostProbes(connection) < derive(idleTimeoutSeconds).probes;
}

/**
 * After how many lost probes in a row the kernel gives the connection up. A TCP_USER_TIMEOUT takes the place of the
 * count: it is looked at each time that a probe is due, once one was sent (net/ipv4/tcp_timer.c, tcp_keepalive_timer).
 */
function lostProbes({ values, userTimeoutMs }: Pick<ConnectionView, 'values' | 'userTimeoutMs'>): number {
  if (userTimeoutMs === 0) return values.probes;
  return Math.max(1, Math.ceil((userTimeoutMs / 1000 - values.timeSeconds) / values.intervalSeconds));
}

/**
 * A changed sysctl reaches a socket that is open only when the timer that it armed before has expired. Between two
 * probes the timer is the interval's: to arm it anew then would send another probe at once, and count it.
 */
function isArmedLonger({ timerMs, values }: ConnectionView): boolean {
  const longest = Math.max(values.timeSeconds, values.intervalSeconds);
  return typeof timerMs === 'number' && timerMs > longest * 1000 + timerSlackMs;
}

/** The most that a socket takes as its own, where a network may have more: include/net/tcp.h, MAX_TCP_KEEPIDLE and the two after it. */
const mostOfSocket: Triple = { timeSeconds: 32_767, intervalSeconds: 32_767, probes: 127 };

function fitting({ timeSeconds, intervalSeconds, probes }: Triple): Triple {
  return {
    timeSeconds: Math.min(timeSeconds, mostOfSocket.timeSeconds),
    intervalSeconds: Math.min(intervalSeconds, mostOfSocket.intervalSeconds),
    probes: Math.min(probes, mostOfSocket.probes),
  };
}

/**
 * What a socket has to be given; undefined where what it has is enough, or where its own TCP_USER_TIMEOUT would then
 * end it sooner than now. The values that it has are given anew where its timer was armed with others, or nobody knows.
 */
export function tighten(socket: ConnectionView, asked: Requirement): Triple | undefined {
  const { keepalive, values, timerMs } = socket;
  const amended = amend(values, asked);
  const isArmed = timerMs !== 'unknown' && !isArmedLonger(socket);
  if (keepalive && isArmed && amended === undefined) return undefined;
  const given = fitting(amended ?? values);
  if (socket.userTimeoutMs === 0) return given;
  const ours = valuesFor(asked);
  const before = keepalive ? lostProbes(socket) : ours.probes;
  return lostProbes({ ...socket, values: given }) < Math.min(before, ours.probes) ? undefined : given;
}

/** Connections of one pod, or of the node, that are exposed in the same way. */
export interface ExposedGroup {
  readonly program: string;
  readonly exposure: Exposure;
  /** `192.0.2.1:443`, of one of them. */
  readonly peer: string;
  readonly count: number;
}

/** How the connections of one pod, or of the node, stand to one idle timeout. */
export interface ConnectionCounts {
  readonly established: number;
  readonly protected: number;
  readonly exposed: number;
  /** Nobody can tell when they speak next. */
  readonly unknown: number;
  /** The largest first; of protected ones, those that their own timeout makes fragile. */
  readonly worst: readonly ExposedGroup[];
}

/** What a scan saw of one pod, or of the node. */
export interface SocketReading {
  readonly place: Place;
  /** By idle timeout in seconds. */
  readonly byTimeout: Readonly<Record<number, ConnectionCounts>>;
  /** Sockets that this scan gave keepalive to. */
  readonly repaired: number;
  /** Processes that could not be looked into, or not in all, by error code. */
  readonly failures: Readonly<Record<string, number>>;
  /** How many sockets were left out, and why; of `Seldom`, seconds until the next look. */
  readonly leftOut: Readonly<Partial<Record<LeftOut, number>>>;
}

/**
 * Why sockets are not looked at: a system call on them hung; one on others of the same pod did; so many did on those of
 * its namespace, or on this node, that no more is risked; there are too many, for one look, for looking often, or for the kernel's count; they are carried by TCP in a
 * way that nobody can set keepalive on; the kernel, which counts them, fails to, or finds no room in them for what it counts them by; or it
 * does not look after them, and nobody else can.
 */
export type LeftOut =
  | 'Hangs'
  | 'PodHangs'
  | 'OwnerHangs'
  | 'NodeHangs'
  | 'TooMany'
  | 'TooManyOpen'
  | 'Seldom'
  | 'MPTCP'
  | 'SMC'
  | 'CountFails'
  | 'NoRoom'
  | 'NotServed';

/** Whose sockets to look at, what to give them, and by which timeouts to judge them. */
export interface SocketTarget {
  readonly place: Place;
  /** Of the pod; undefined for the node. */
  readonly namespace?: string;
  /** Undefined: only counted. */
  readonly wanted: Requirement | undefined;
  readonly timeouts: readonly number[];
}
