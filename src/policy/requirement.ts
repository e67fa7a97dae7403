import { probesFor } from '../api/derive.ts';
import type { Keepalive } from '../api/keepalive.ts';
import type { Effective } from '../api/status.ts';
import type { Triple } from '../api/triple.ts';
import { tripleKeys } from '../api/triple.ts';

/** What policies ask of a place: a pod, a node, a socket. */
export interface Requirement {
  /** The shortest of the hops that follow packets. */
  readonly idleTimeoutSeconds: number;
  /** The smallest of what each policy gives by itself. Not an order: what is enough may be above it. */
  readonly timeSeconds: number;
  readonly intervalSeconds: number;
  /** What policies declare themselves, as an order: nothing may be above it. */
  readonly declared: Keepalive;
}

export function requirementOf(effective: Omit<Effective, 'limitedBy'>): Requirement {
  const { idleTimeoutSeconds, timeSeconds, intervalSeconds, declared = {} } = effective;
  return { idleTimeoutSeconds, timeSeconds, intervalSeconds, declared };
}

/** The values that follow from what is asked. */
export function valuesFor(requirement: Requirement): Triple {
  const { idleTimeoutSeconds, timeSeconds, intervalSeconds, declared } = requirement;
  const probes = declared.probes ?? probesFor({ timeSeconds, intervalSeconds }, idleTimeoutSeconds);
  return { timeSeconds, intervalSeconds, probes };
}

/**
 * What several policies ask for at once: the smallest timeout, the smallest time and interval that any of them gives by
 * itself, and the smallest of each declared value. A further policy thus makes no time longer, whatever it declares;
 * with the interval of the shortest timeout, or less, two probes fit behind it; and the order of policies never matters.
 * How many probes it takes then follows from the whole.
 */
export function together(requirements: readonly Requirement[]): Requirement | undefined {
  const [first, ...others] = requirements;
  return first && others.reduce(both, first);
}

export function both(a: Requirement, b: Requirement): Requirement {
  const declared = tripleKeys.flatMap((key) => {
    const values = [a.declared[key], b.declared[key]].filter((value) => value !== undefined);
    return values.length === 0 ? [] : [[key, Math.min(...values)] as const];
  });
  return {
    idleTimeoutSeconds: Math.min(a.idleTimeoutSeconds, b.idleTimeoutSeconds),
    timeSeconds: Math.min(a.timeSeconds, b.timeSeconds),
    intervalSeconds: Math.min(a.intervalSeconds, b.intervalSeconds),
    declared: Object.fromEntries(declared),
  };
}
