import type { Hop } from './hop.ts';
import { presets } from './presets.ts';

/**
 * Types whose devices follow packets, so that a keepalive probe, an empty segment, refreshes them.
 * `Proxy` ends TCP on each side and counts data: no probe ever refreshes it.
 */
export const trackingTypes = ['NAT', 'IPVS', 'LoadBalancer', 'Firewall', 'Conntrack'] as const;
export const hopTypes = [...trackingTypes, 'Proxy'] as const;
export type HopType = (typeof hopTypes)[number];

/** A hop with everything that a preset or a default stands for filled in. */
export interface ResolvedHop {
  readonly name: string;
  readonly type: HopType;
  readonly idleTimeoutSeconds: number;
}

/** `undefined` where the hop is incomplete or names a preset this version does not know. */
export function resolveHop(hop: Hop): ResolvedHop | undefined {
  const known = hop.preset === undefined ? undefined : presets[hop.preset];
  const type = known?.type ?? hop.type;
  const idleTimeoutSeconds = known?.idleTimeoutSeconds ?? hop.idleTimeoutSeconds;
  const name = hop.name ?? hop.preset;
  if (type === undefined || idleTimeoutSeconds === undefined || name === undefined) return undefined;
  return { name, type, idleTimeoutSeconds };
}

export function tracksPackets(hop: ResolvedHop): boolean {
  return hop.type !== 'Proxy';
}

export function resolvePath(path: readonly Hop[]): ResolvedHop[] {
  return path.map(resolveHop).filter((hop) => hop !== undefined);
}

/** The hop that forgets first; on equal timeouts the first declared. `undefined` for a path of proxies only. */
export function shortestHop(path: readonly Hop[]): ResolvedHop | undefined {
  return resolvePath(path)
    .filter(tracksPackets)
    .reduce<ResolvedHop | undefined>(
      (shortest, hop) =>
        shortest === undefined || hop.idleTimeoutSeconds < shortest.idleTimeoutSeconds ? hop : shortest,
      undefined,
    );
}
