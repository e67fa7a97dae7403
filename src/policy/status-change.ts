import { isDeepStrictEqual } from 'node:util';

import type { Condition, Finding, PolicyStatus } from '../api/status.ts';

/**
 * What sets a status apart from the one that is written. `news`: something that a reader acts on. `pods`: only how many pods and
 * nodes there are of what is known. `connections`: only how many connections, which come and go all the time.
 */
export type StatusChange = 'none' | 'connections' | 'pods' | 'news';

export function changeOf(before: PolicyStatus, after: PolicyStatus): StatusChange {
  if (isDeepStrictEqual(before, after)) return 'none';
  if (!isDeepStrictEqual(actedUpon(before), actedUpon(after))) return 'news';
  return isDeepStrictEqual(withoutConnections(before), withoutConnections(after)) ? 'connections' : 'pods';
}

/** All but numbers that move. */
function actedUpon({ pods, nodes, hosts, connections, findingsTotal: _total, ...rest }: PolicyStatus) {
  const { conditions = [], findings = [], ...others } = rest;
  return {
    ...others,
    told: [pods, nodes, hosts, connections].map((counts) => counts !== undefined),
    conditions: conditions.map(withoutNumbers),
    findings: findings.map(withoutNumbers),
  };
}

function withoutConnections({ connections: _counts, conditions = [], ...rest }: PolicyStatus) {
  return { ...rest, conditions: conditions.map(withoutNumbers) };
}

/** Names are in fields of their own; of what is told in words, numbers are counts. */
function withoutNumbers<T extends Condition | Finding>(told: T): T {
  return { ...told, message: told.message.replaceAll(/\d+/g, '0') };
}
