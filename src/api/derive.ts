import type { Keepalive } from './keepalive.ts';
import type { Triple } from './triple.ts';
import { kernelDefaults, latestSecondProbe } from './triple.ts';

/** Probes that leave room for several lost ones. */
const comfortableProbes = 6;
const fewestProbes = 2;
/** Behind so few seconds, a probe for each second that is left is all there is room for. */
const fewSeconds = 6;

/**
 * The values for an idle timeout of T seconds: a third of T before the first probe; a sixth of the rest between two;
 * and as many probes as it takes to give up no sooner than T, since the path itself keeps the connection for so long
 * (90 s gives 30/10/6). A declared value stands instead, and what is left out gives way to it, so that two probes are
 * due before T. Never looser than the kernel's own defaults: nine probes of 75 s are the most patience there is.
 */
export function derive(idleTimeoutSeconds: number, declared: Keepalive = {}): Triple {
  const latest = latestSecondProbe(idleTimeoutSeconds);
  const bounds = fittingBounds(idleTimeoutSeconds, declared);
  const timeSeconds =
    bounds.timeSeconds ??
    clamp(
      Math.floor(idleTimeoutSeconds / 3),
      Math.min(kernelDefaults.timeSeconds, latest - (bounds.intervalSeconds ?? 1)),
    );
  const intervalSeconds =
    bounds.intervalSeconds ??
    clamp(
      Math.ceil((idleTimeoutSeconds - timeSeconds) / (bounds.probes ?? comfortableProbes)),
      Math.min(kernelDefaults.intervalSeconds, latest - timeSeconds),
    );
  const probes = bounds.probes ?? probesFor({ timeSeconds, intervalSeconds }, idleTimeoutSeconds);
  return { timeSeconds, intervalSeconds, probes };
}

/** As many probes as it takes to give up no sooner than T, and as several lost ones leave room for. */
export function probesFor(
  values: Pick<Triple, 'timeSeconds' | 'intervalSeconds'>,
  idleTimeoutSeconds: number,
): number {
  const comfortable = idleTimeoutSeconds > fewSeconds ? comfortableProbes : fewestProbes;
  return Math.max(comfortable, patientProbes(values, idleTimeoutSeconds));
}

/** As many probes as it takes to give up no sooner than T, two at least and nine at most. */
export function patientProbes(
  { timeSeconds, intervalSeconds }: Pick<Triple, 'timeSeconds' | 'intervalSeconds'>,
  idleTimeoutSeconds: number,
): number {
  const count = Math.ceil((idleTimeoutSeconds - timeSeconds) / intervalSeconds);
  return Math.max(fewestProbes, Math.min(count, kernelDefaults.probes));
}

/**
 * The declared values that leave room for a second probe before T. A policy with one that does not is refused, but that may still be
 * asked about, and has to have an answer.
 */
export function fittingBounds(
  idleTimeoutSeconds: number,
  { timeSeconds, intervalSeconds, probes }: Keepalive,
): Keepalive {
  const latest = latestSecondProbe(idleTimeoutSeconds);
  const time = timeSeconds !== undefined && timeSeconds < latest ? { timeSeconds } : {};
  const isFitting = intervalSeconds !== undefined && intervalSeconds + (time.timeSeconds ?? 1) <= latest;
  return { ...time, ...(isFitting ? { intervalSeconds } : {}), ...(probes === undefined ? {} : { probes }) };
}

/** `wanted`, at most `limit`, at least one: the kernel takes no smaller value. */
function clamp(wanted: number, limit: number): number {
  return Math.max(1, Math.min(wanted, limit));
}
