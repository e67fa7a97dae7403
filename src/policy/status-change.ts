import { isDeepStrictEqual } from 'node:util';

import type { Condition, Finding, PolicyStatus } from '../api/status.ts';
import { refusalLimit } from '../api/status.ts';

/**
 * What sets a status apart from the one that is written. `verdict`: what its author, an administrator, or the API server brought
 * about, what admission reads, and that Covered is True no longer: nobody may go on by that, and it comes as seldom as True does.
 * `refusals`, `coverage`, `returns`, `news`: something else that a reader acts on, which whoever has pods or policies somewhere may
 * bring about for others, as often as they like; `refusals` and `returns` where among as many namespaces as are listed others have a
 * place, refused for the first time, or as before; `coverage` where the state of Covered is another. `pods`: only how many pods and
 * nodes there are of what is known. `connections`: only how many connections, which come and go all the time.
 */
export type StatusChange =
  'none' | 'connections' | 'pods' | 'news' | 'returns' | 'coverage' | 'refusals' | 'verdict';

/** What is written is written whole: of two kinds the one that waits less. */
export function changeOf(before: PolicyStatus, after: PolicyStatus): StatusChange {
  if (isDeepStrictEqual(before, after)) return 'none';
  if (!isDeepStrictEqual(verdictOf(before), verdictOf(after))) return 'verdict';
  if (isCovered(before) && !isCovered(after)) return 'verdict';
  const refused = refusedOtherwise(before, after);
  if (refused === 'verdict' || refused === 'refusals') return refused;
  if (!isDeepStrictEqual(coverageOf(before), coverageOf(after))) return 'coverage';
  return refused ?? lesserChangeOf(before, after);
}

/** Where each that comes takes the place of another, a few that are refused again and again would change it with each event. */
function refusedOtherwise(
  { refusals: before = [] }: PolicyStatus,
  { refusals: after = [] }: PolicyStatus,
): 'verdict' | 'refusals' | 'returns' | undefined {
  const were = new Map(before.map((one) => [one.namespace, one]));
  const others = after.filter((one) => !isDeepStrictEqual(were.get(one.namespace), one));
  if (others.length === 0 && before.length === after.length) return undefined;
  const isFull = before.length >= refusalLimit && after.length >= refusalLimit;
  if (!isFull || others.some(({ namespace }) => were.has(namespace))) return 'verdict';
  return others.some(({ times }) => times === 1) ? 'refusals' : 'returns';
}

function lesserChangeOf(before: PolicyStatus, after: PolicyStatus): 'news' | 'pods' | 'connections' {
  if (!isDeepStrictEqual(actedUpon(before), actedUpon(after))) return 'news';
  return isDeepStrictEqual(withoutConnections(before), withoutConnections(after)) ? 'connections' : 'pods';
}

function verdictOf({ observedGeneration, effective, admission, conditions = [] }: PolicyStatus) {
  const states = conditions.filter(({ type }) => type !== 'Covered').map(stateOf);
  return { observedGeneration, effective, admission, states };
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
