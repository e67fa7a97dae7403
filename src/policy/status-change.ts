import { isDeepStrictEqual } from 'node:util';

import type { Condition, Finding, PolicyStatus } from '../api/status.ts';

/**
 * What sets a status apart from the one that is written. `verdict`: what its author, an administrator, or the API server brought
 * about, what admission reads, and that Covered is True no longer: nobody may go on by that, and it comes as seldom as True does. `coverage`, `news`: something else that a reader acts on, which whoever has pods or policies
 * somewhere may bring about for others, as often as they like; `coverage` where the state of Covered is another. `pods`: only how many
 * pods and nodes there are of what is known. `connections`: only how many connections, which come and go all the time.
 */
export type StatusChange = 'none' | 'connections' | 'pods' | 'news' | 'coverage' | 'verdict';

export function changeOf(before: PolicyStatus, after: PolicyStatus): StatusChange {
  if (isDeepStrictEqual(before, after)) return 'none';
  if (!isDeepStrictEqual(verdictOf(before), verdictOf(after))) return 'verdict';
  if (isCovered(before) && !isCovered(after)) return 'verdict';
  if (!isDeepStrictEqual(coverageOf(before), coverageOf(after))) return 'coverage';
  if (!isDeepStrictEqual(actedUpon(before), actedUpon(after))) return 'news';
  return isDeepStrictEqual(withoutConnections(before), withoutConnections(after)) ? 'connections' : 'pods';
}

function verdictOf({ observedGeneration, effective, admission, refusals, conditions = [] }: PolicyStatus) {
  const states = conditions.filter(({ type }) => type !== 'Covered').map(stateOf);
  return { observedGeneration, effective, admission, refusals, states };
}

function isCovered({ conditions = [] }: PolicyStatus): boolean {
  return conditions.some(({ type, status }) => type === 'Covered' && status === 'True');
}

function coverageOf({ conditions = [] }: PolicyStatus) {
  return conditions.filter(({ type }) => type === 'Covered').map(stateOf);
}

function stateOf({ type, status, reason }: Condition) {
  return { type, status, reason };
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
