import { patientProbes } from '../api/derive.ts';
import type { Triple } from '../api/triple.ts';
import { kernelDefaults } from '../api/triple.ts';
import type { Requirement } from './requirement.ts';

/** Of a time and of an interval that policies give, at most this part is left out. */
const part = 4;

/**
 * What one socket is given of what it is owed: time and interval less by chance, down to three quarters of what policies give, and as many
 * probes as it then takes to give up no sooner than T. An interval is shortened only as far as the most probes there may be still reach T.
 * A time is always spread: where nine probes of 75 s do not reach T from it, behind 901 s and more, a socket may give up sooner (after 92 % of
 * 1,000 s). What is less already stays, so that nothing becomes ever shorter by being given again.
 *
 * Sockets that are given the same at once speak at once ever after, since the kernel keeps timers of 16 s and more by the second or
 * two (kernel/time/timer.c). On their way out of a pod packets wait in a queue of 1,000 for each processor (net.core.netdev_max_backlog), and
 * what has no room is lost: of 10,000 idle connections 8,044 were given up so within two minutes, and none where each had another time.
 *
 * `chances`: numbers of 0 up to 1, without 1.
 */
export function spread(
  values: Triple,
  requirement: Requirement,
  [ofTime, ofInterval]: readonly [number, number],
): Triple {
  const timeSeconds = less(values.timeSeconds, leastTime(requirement), ofTime);
  const intervalSeconds = less(
    values.intervalSeconds,
    leastInterval(timeSeconds, values.probes, requirement),
    ofInterval,
  );
  const patient = patientProbes({ timeSeconds, intervalSeconds }, requirement.idleTimeoutSeconds);
  const probes = Math.min(Math.max(values.probes, patient), mostProbes(values.probes, requirement));
  return { timeSeconds, intervalSeconds, probes };
}

function less(seconds: number, least: number, chance: number): number {
  return seconds - Math.floor(chance * sharesOf(seconds, least));
}

/** How many different numbers of seconds sockets are given that are owed these and get no less than `least`. */
export function sharesOf(seconds: number, least: number): number {
  return Math.max(0, seconds - least) + 1;
}

export function leastTime({ timeSeconds }: Requirement): number {
  return leastShare(timeSeconds);
}

/** `timeSeconds` and `probes`: what the socket has when it is given the interval. */
export function leastInterval(timeSeconds: number, probes: number, requirement: Requirement): number {
  const rest = requirement.idleTimeoutSeconds - timeSeconds;
  const reaching = Math.ceil(rest / mostProbes(probes, requirement));
  return Math.max(leastShare(requirement.intervalSeconds), reaching);
}

function leastShare(ours: number): number {
  return ours - Math.floor(ours / part);
}

/** What a socket has stays where it is more. */
function mostProbes(probes: number, { declared }: Requirement): number {
  return Math.max(probes, Math.min(kernelDefaults.probes, declared.probes ?? kernelDefaults.probes));
}
