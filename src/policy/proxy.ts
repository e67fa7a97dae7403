import type { Hop } from '../api/hop.ts';
import { presets } from '../api/presets.ts';
import { resolveHop, tracksPackets } from '../api/resolved-hop.ts';
import type { Finding } from '../api/status.ts';

/** A proxy is never covered, whatever the values: it says what to set instead. */
export function proxyFinding(hop: Hop): Finding | undefined {
  const resolved = resolveHop(hop);
  if (resolved === undefined || tracksPackets(resolved)) return undefined;
  const setting = hop.preset === undefined ? undefined : presets[hop.preset].configurable;
  const where = setting === undefined ? 'its own idle timeout' : `its idle timeout (${setting})`;
  return {
    reason: 'ProxyHop',
    hop: resolved.name,
    message:
      `${resolved.name} is a proxy: it counts data, and no keepalive probe refreshes its ` +
      `${resolved.idleTimeoutSeconds} s. Raise ${where}, or let the application send heartbeats more often`,
  };
}
