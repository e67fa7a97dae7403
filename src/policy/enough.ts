import { patientProbes } from '../api/derive.ts';
import type { Triple } from '../api/triple.ts';
import { kernelDefaults, latestSecondProbe, secondProbeSeconds, tripleKeys } from '../api/triple.ts';
import type { Requirement } from './requirement.ts';
import { valuesFor } from './requirement.ts';

/**
 * The one idea of enough, for pods, nodes, sockets, status and admission: two probes are due before T even where the
 * kernel's timer is an eighth late. What is enough for a timeout is enough for every longer one.
 */
export function isEnough(triple: Triple, idleTimeoutSeconds: number): boolean {
  if (tripleKeys.some((key) => triple[key] < 1)) return false;
  return triple.probes >= 2 && secondProbeSeconds(triple) <= latestSecondProbe(idleTimeoutSeconds);
}

/** Enough, and nothing above what policies declare. */
export function meets(own: Triple, { idleTimeoutSeconds, declared }: Requirement): boolean {
  return (
    isEnough(own, idleTimeoutSeconds) && tripleKeys.every((key) => own[key] <= (declared[key] ?? Infinity))
  );
}

/**
 * What to write where `own` is what a place has by itself; undefined where that is enough. What is not known of it
 * (a value that only the kernel can read) is taken to be as asked.
 */
export function amend(own: Partial<Triple>, requirement: Requirement): Triple | undefined {
  return meets({ ...valuesFor(requirement), ...own }, requirement) ? undefined : amended(own, requirement);
}

/**
 * What to write where `own` is known not to be enough.
 *
 * Time and interval become the smaller of its own and ours. Probes that somebody chose (they are not the kernel's
 * nine) are never made fewer, since that would make connections more fragile than they were; they are raised, as ours are, where they
 * would give up before T. Only a declared number of probes is an order. A value of 0 or less is none that keepalive works
 * with: probes of 0 end a connection at its first silence (net/ipv4/tcp_timer.c, tcp_keepalive_timer).
 */
export function amended(own: Partial<Triple>, requirement: Requirement): Triple {
  const { idleTimeoutSeconds, declared } = requirement;
  const ours = valuesFor(requirement);
  const has = { ...ours, ...own };
  const timeSeconds = Math.min(usable(has.timeSeconds), ours.timeSeconds);
  const intervalSeconds = Math.min(usable(has.intervalSeconds), ours.intervalSeconds);
  const chosen = has.probes === kernelDefaults.probes ? ours.probes : has.probes;
  const patient = Math.max(chosen, patientProbes({ timeSeconds, intervalSeconds }, idleTimeoutSeconds));
  return { timeSeconds, intervalSeconds, probes: Math.min(patient, declared.probes ?? Infinity) };
}

/** The kernel takes any number for a time. */
function usable(seconds: number): number {
  return seconds > 0 ? seconds : Infinity;
}
