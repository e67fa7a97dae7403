import { idleTimeoutBounds } from './idle-timeout.ts';

/** The three values that the kernel knows, in seconds, seconds and a count. */
export interface Triple {
  readonly timeSeconds: number;
  readonly intervalSeconds: number;
  readonly probes: number;
}

/**
 * What a new network namespace starts with: net/ipv4/tcp_ipv4.c, tcp_sk_init, with the constants of
 * include/net/tcp.h (TCP_KEEPALIVE_TIME, TCP_KEEPALIVE_INTVL in seconds, TCP_KEEPALIVE_PROBES).
 * No value of ours is ever looser.
 */
export const kernelDefaults = { timeSeconds: 7200, intervalSeconds: 75, probes: 9 } as const;

/** The shortest that can be declared. */
export const shortestTimeout = idleTimeoutBounds.min;

/**
 * The latest whole second in which a second probe still falls before an idle timeout of T seconds, where the kernel's
 * timer is as late as it may be: its wheel is coarser the longer it waits, by an eighth at most (kernel/time/timer.c).
 * (time + interval) * 9/8 < T. Two seconds at least, since the kernel knows no shorter time and interval: behind T = 2 only
 * the first falls before.
 */
export function latestSecondProbe(idleTimeoutSeconds: number): number {
  return Math.max(2, Math.ceil((8 * idleTimeoutSeconds) / 9) - 1);
}

export type TripleKey = keyof Triple;
export const tripleKeys: readonly TripleKey[] = ['timeSeconds', 'intervalSeconds', 'probes'];

/** Seconds of silence after which the second probe goes out, where the first is not answered. */
export function secondProbeSeconds({ timeSeconds, intervalSeconds }: Triple): number {
  return timeSeconds + intervalSeconds;
}

/** Seconds of silence after which the kernel gives the connection up, where no probe is answered. */
export function giveUpSeconds({ timeSeconds, intervalSeconds, probes }: Triple): number {
  return timeSeconds + intervalSeconds * probes;
}

/** The way people write the three values: 30/10/6. */
export function shorthand({ timeSeconds, intervalSeconds, probes }: Triple): string {
  return `${timeSeconds}/${intervalSeconds}/${probes}`;
}

/** Undefined where one of the three is missing. */
export function tripleOf({ timeSeconds, intervalSeconds, probes }: Partial<Triple>): Triple | undefined {
  if (timeSeconds === undefined || intervalSeconds === undefined || probes === undefined) return undefined;
  return { timeSeconds, intervalSeconds, probes };
}
