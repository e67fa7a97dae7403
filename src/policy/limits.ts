import type { ResolvedHop } from '../api/resolved-hop.ts';
import { resolvePath, tracksPackets } from '../api/resolved-hop.ts';
import type { Settings } from '../api/settings.ts';
import { SETTINGS_NAME } from '../api/settings.ts';
import type { PolicySpec } from '../api/spec.ts';
import type { Effective } from '../api/status.ts';
import type { PolicyRecord } from './record.ts';

/**
 * What namespaced policies may ask. limits-admission.ts says it once more, in CEL, for the API server to refuse a policy
 * when it is applied; here it is held for those that were stored before the limit, or past an API server that
 * did not have it. test/e2e/limits.test.ts holds both against one table.
 */

/** In words, what is asked beyond the limits and cannot be given in part; `undefined` where nothing is. */
export function beyondLimits(spec: PolicySpec, settings: Settings): string | undefined {
  return tooShort(spec, settings) ?? tooOften(spec, settings);
}

/** The same of what followed from a spec that cannot be read any more. */
export function wasBeyondLimits(
  { idleTimeoutSeconds, declared = {} }: Effective,
  settings: Settings,
): boolean {
  return (
    idleTimeoutSeconds < settings.smallestIdleTimeoutSeconds ||
    keysBelow({ keepalive: declared }, settings.smallestIntervalSeconds).length > 0
  );
}

export function tooShortFor(name: string, limit: number): string {
  return `ConfigMap ${SETTINGS_NAME} (${name}) allows no less than ${limit} s`;
}

/** Hops that follow packets and forget sooner than a namespaced policy may declare. */
export function hopsBelow({ path }: PolicySpec, limit: number): ResolvedHop[] {
  return resolvePath(path)
    .filter(tracksPackets)
    .filter(({ idleTimeoutSeconds }) => idleTimeoutSeconds < limit);
}

/** What is derived follows from the timeout, which has a limit of its own: only what is declared is looked at. */
export function keysBelow({ keepalive = {} }: Pick<PolicySpec, 'keepalive'>, limit: number) {
  return (['timeSeconds', 'intervalSeconds'] as const).filter((key) => (keepalive[key] ?? Infinity) < limit);
}

function tooShort(spec: PolicySpec, { smallestIdleTimeoutSeconds: limit }: Settings): string | undefined {
  const hops = hopsBelow(spec, limit).map(
    ({ name, idleTimeoutSeconds }) => `${name} (${idleTimeoutSeconds} s)`,
  );
  return hops.length === 0
    ? undefined
    : `it declares ${hops.join(', ')}, and ${tooShortFor('smallestIdleTimeoutSeconds', limit)}`;
}

function tooOften(spec: PolicySpec, { smallestIntervalSeconds: limit }: Settings): string | undefined {
  const small = keysBelow(spec, limit).map((key) => `${key} ${spec.keepalive?.[key]}`);
  return small.length === 0
    ? undefined
    : `it declares ${small.join(', ')}, and ${tooShortFor('smallestIntervalSeconds', limit)}`;
}

/** Whether open connections may only be counted for a policy that asks for their repair. */
export function repairsBeyondLimits(spec: PolicySpec, { openConnections }: Settings): boolean {
  return openConnections === 'Observe' && spec.openConnections === 'Repair';
}

type Aged = Pick<PolicyRecord, 'kind' | 'namespace' | 'name' | 'createdAt'>;

/**
 * Policies past the number that their namespace may have. The oldest stay, by name where two are as old, so that who
 * comes late waits and nobody's policy is pushed out by a newer one.
 */
export function inExcess<R extends Aged>(
  records: Iterable<R>,
  { policiesPerNamespace: limit }: Settings,
): ReadonlySet<R> {
  const byNamespace = Map.groupBy(
    [...records].filter(({ kind }) => kind === 'KeepalivePolicy'),
    ({ namespace }) => namespace,
  );
  return new Set(
    [...byNamespace.values()]
      .filter(({ length }) => length > limit)
      .flatMap((all) => all.sort(oldestFirst).slice(limit)),
  );
}

export function oldestFirst(a: Aged, b: Aged): number {
  return sortKeyOf(a) < sortKeyOf(b) ? -1 : 1;
}

/** Of one namespace, the smaller of two is that of the older policy. */
export function sortKeyOf({ createdAt = '', name }: Pick<PolicyRecord, 'createdAt' | 'name'>): string {
  return `${createdAt} ${name}`;
}
