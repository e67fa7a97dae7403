import type { Triple } from './derive.ts';
import { staysUnder } from './derive.ts';
import { isTightenedBy, strictest } from './strictest.ts';

/** One TCP connection as decisions see it. */
export interface ConnectionView {
  /** Nothing that forgets stands between it and its peer. */
  readonly loopback: boolean;
  /** Whether the program asked for keepalive. */
  readonly keepalive: boolean;
  /** Its own values, or those of its network namespace. */
  readonly values: Triple;
  /** Milliseconds until its keepalive timer expires; undefined where none runs, as while data is on its way. */
  readonly timerMs: number | undefined;
}

/** Why a connection is exposed: it never speaks, it speaks too late, or its timer was armed before values changed. */
export type Exposure = 'KeepaliveOff' | 'LongerValues' | 'ArmedLonger';
export type Judgement = 'exempt' | 'protected' | Exposure;

/** Between two looks at clocks that do not tick together. */
const timerSlackMs = 1000;

/** Whether the last probe of a connection falls before an idle timeout. */
export function judgeConnection(connection: ConnectionView, idleTimeoutSeconds: number): Judgement {
  const { loopback, keepalive, values } = connection;
  if (loopback) return 'exempt';
  if (!keepalive) return 'KeepaliveOff';
  if (!staysUnder(values, idleTimeoutSeconds)) return 'LongerValues';
  return isArmedLonger(connection) ? 'ArmedLonger' : 'protected';
}

/** A changed sysctl reaches a socket that is open only when the timer that it armed before has expired. */
function isArmedLonger({ timerMs, values }: ConnectionView): boolean {
  return timerMs !== undefined && timerMs > values.timeSeconds * 1000 + timerSlackMs;
}

/**
 * What a socket has to be given, each value only ever made smaller; undefined where it has it. The values that
 * it has are given anew where its timer was armed with others.
 */
export function tighten(socket: ConnectionView, wanted: Triple): Triple | undefined {
  const isRight = socket.keepalive && !isTightenedBy(socket.values, wanted) && !isArmedLonger(socket);
  return isRight ? undefined : strictest(socket.values, wanted);
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
  /** The largest first. */
  readonly worst: readonly ExposedGroup[];
}

/** What a scan saw of one pod, or of the node. */
export interface SocketReading {
  readonly place: string;
  /** By idle timeout in seconds. */
  readonly byTimeout: Readonly<Record<number, ConnectionCounts>>;
  /** Sockets that this scan gave keepalive to. */
  readonly repaired: number;
  /** Processes that could not be looked into, by error code. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Whose sockets to look at, what to give them, and by which timeouts to judge them. */
export interface SocketTarget {
  readonly place: string;
  /** Undefined: only counted. */
  readonly wanted: Triple | undefined;
  readonly timeouts: readonly number[];
}
