import { derive } from '../api/derive.ts';
import type { Keepalive } from '../api/keepalive.ts';
import type { Effective } from '../api/status.ts';
import type { Triple } from '../api/triple.ts';
import { tripleKeys } from '../api/triple.ts';

/** What policies ask of a place: a pod, a node, a socket. */
export interface Requirement {
  /** The shortest of the hops that follow packets. */
  readonly idleTimeoutSeconds: number;
  /** What policies declare themselves, as an order: nothing may be above it. */
  readonly declared: Keepalive;
}

export function requirementOf({ idleTimeoutSeconds, declared = {} }: Effective): Requirement {
  return { idleTimeoutSeconds, declared };
}

/** The values that follow from what is asked. */
export function valuesFor({ idleTimeoutSeconds, declared }: Requirement): Triple {
  return derive(idleTimeoutSeconds, declared);
}

/**
 * What several policies ask for at once: the smallest timeout and the smallest of each declared value. Values are
 * derived only from the whole, so that no mixture arises that nobody asked for; the order of policies never matters.
 */
export function together(requirements: readonly Requirement[]): Requirement | undefined {
  const [first, ...others] = requirements;
  return first && others.reduce(both, first);
}

function both(a: Requirement, b: Requirement): Requirement {
  const declared = tripleKeys.flatMap((key) => {
    const values = [a.declared[key], b.declared[key]].filter((value) => value !== undefined);
    return values.length === 0 ? [] : [[key, Math.min(...values)] as const];
  });
  return {
    idleTimeoutSeconds: Math.min(a.idleTimeoutSeconds, b.idleTimeoutSeconds),
    declared: Object.fromEntries(declared),
  };
}
