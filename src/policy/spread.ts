import { patientProbes } from '../api/derive.ts';
import type { Triple } from '../api/triple.ts';
import type { Requirement } from './requirement.ts';

/** Of a time and of an interval that policies give, at most this part is left out. */
const part = 4;

/**
 * What one socket is given of what it is owed: time and interval less by chance, down to three quarters of what policies give, and as many
 * probes as it then takes to give up no sooner than T, as far as the kernel's nine reach: behind 685 s and more they may not. What is less already stays, so that nothing becomes ever shorter by being given again.
 *
 * Sockets that are given the same at once speak at once ever after, since the kernel keeps timers of 16 s and more by the second or
 * two (kernel/time/timer.c). On their way out of a pod packets wait in a queue of 1,000 for each processor (net.core.netdev_max_backlog), and
 * what has no room is lost: of 10,000 idle connections 8,044 were given up so within two minutes, and none where each had another time.
 *
 * `chances`: numbers of 0 up to 1, without 1.
 */
export function spread(
  { timeSeconds, intervalSeconds, probes }: Triple,
  requirement: Requirement,
  [ofTime, ofInterval]: readonly [number, number],
): Triple {
  const values = {
    timeSeconds: less(timeSeconds, requirement.timeSeconds, ofTime),
    intervalSeconds: less(intervalSeconds, requirement.intervalSeconds, ofInterval),
  };
  const patient = Math.max(probes, patientProbes(values, requirement.idleTimeoutSeconds));
  return { ...values, probes: Math.min(patient, Math.max(probes, requirement.declared.probes ?? Infinity)) };
}

function less(seconds: number, ours: number, chance: number): number {
  return seconds - Math.floor(chance * sharesOf(seconds, ours));
}

/** How many different numbers of seconds sockets are given that are owed these, where policies give `ours`. */
export function sharesOf(seconds: number, ours: number): number {
  const least = ours - Math.floor(ours / part);
  return Math.max(0, seconds - least) + 1;
}
