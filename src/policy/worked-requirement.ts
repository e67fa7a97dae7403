import type { Keepalive } from '../api/keepalive.ts';
import type { Triple } from '../api/triple.ts';
import { latestSecondProbe } from '../api/triple.ts';
import type { Requirement } from './requirement.ts';
import { valuesFor } from './requirement.ts';

/** A requirement with all that follows from it, for who cannot derive: the program in the kernel. */
export interface Worked {
  readonly idleTimeoutSeconds: number;
  /** The latest second in which a second probe is due. */
  readonly secondProbeSeconds: number;
  readonly values: Triple;
  /** What nothing may be above. */
  readonly most: Keepalive;
}

export function workedOut(requirement: Requirement): Worked {
  const { idleTimeoutSeconds, declared } = requirement;
  return {
    idleTimeoutSeconds,
    secondProbeSeconds: latestSecondProbe(idleTimeoutSeconds),
    values: valuesFor(requirement),
    most: declared,
  };
}
