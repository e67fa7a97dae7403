import { derive } from '../api/derive.ts';
import type { Hop } from '../api/hop.ts';
import type { Keepalive } from '../api/keepalive.ts';
import { shortestHop } from '../api/resolved-hop.ts';
import type { Effective } from '../api/status.ts';

/** What a path asks for; undefined where no hop of it follows packets. */
export function deriveEffective(path: readonly Hop[], keepalive: Keepalive = {}): Effective | undefined {
  const hop = shortestHop(path);
  if (hop === undefined) return undefined;
  const { idleTimeoutSeconds, name: limitedBy } = hop;
  const declared = Object.fromEntries(Object.entries(keepalive).filter(([, value]) => value !== undefined));
  return {
    ...{ idleTimeoutSeconds, limitedBy, ...derive(idleTimeoutSeconds, declared) },
    ...(Object.keys(declared).length === 0 ? {} : { declared }),
  };
}
