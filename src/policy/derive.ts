import type { Hop } from '../api/hop.ts';
import type { Keepalive } from '../api/keepalive.ts';
import { kernelDefaults } from '../api/keepalive.ts';
import { shortestHop } from '../api/path.ts';
import type { Effective } from '../api/status.ts';

/** The three values that the kernel knows, in seconds, seconds and a count. */
export interface Triple {
  readonly timeSeconds: number;
  readonly intervalSeconds: number;
  readonly probes: number;
}

const recommendedProbes = 6;

/** Seconds of silence after which the last probe goes out, where none is answered. */
export function lastProbeSeconds({ timeSeconds, intervalSeconds, probes }: Triple): number {
  return timeSeconds + (probes - 1) * intervalSeconds;
}

export function staysUnder(triple: Triple, idleTimeoutSeconds: number): boolean {
  return lastProbeSeconds(triple) < idleTimeoutSeconds;
}

/**
 * The values for an idle timeout of T seconds: a third of T before the first probe, a ninth between probes,
 * six probes, so that several may be lost before a tracker forgets (90 s gives 30/10/6). Declared values are
 * taken as they are, and what is left out gives way to them, so that the last probe falls before T.
 * Never looser than the kernel's own defaults. `undefined` where the declared values cannot stay under T.
 */
export function deriveTriple(idleTimeoutSeconds: number, declared: Keepalive = {}): Triple | undefined {
  const lastSecond = idleTimeoutSeconds - 1;
  const { probes, intervalSeconds } = declared;

  const timeSeconds =
    declared.timeSeconds ??
    clamp(
      Math.floor(idleTimeoutSeconds / 3),
      Math.min(kernelDefaults.timeSeconds, lastSecond - ((probes ?? 1) - 1) * (intervalSeconds ?? 1)),
    );
  const room = lastSecond - timeSeconds;
  const interval =
    intervalSeconds ??
    clamp(
      Math.floor(idleTimeoutSeconds / 9),
      Math.min(
        kernelDefaults.intervalSeconds,
        probes === undefined || probes === 1 ? Infinity : Math.floor(room / (probes - 1)),
      ),
    );
  const triple = {
    timeSeconds,
    intervalSeconds: interval,
    probes: probes ?? clamp(recommendedProbes, Math.floor(room / interval) + 1),
  };
  return staysUnder(triple, idleTimeoutSeconds) ? triple : undefined;
}

/** `wanted`, at most `limit`, at least one: the kernel takes no smaller value. */
function clamp(wanted: number, limit: number): number {
  return Math.max(1, Math.min(wanted, limit));
}

/** What a path asks for. `undefined` where no hop follows packets or the declared values cannot stay under it. */
export function deriveEffective(path: readonly Hop[], declared: Keepalive = {}): Effective | undefined {
  const hop = shortestHop(path);
  if (hop === undefined) return undefined;
  const triple = deriveTriple(hop.idleTimeoutSeconds, declared);
  if (triple === undefined) return undefined;
  return { idleTimeoutSeconds: hop.idleTimeoutSeconds, limitedBy: hop.name, ...triple };
}
