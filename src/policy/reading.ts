import type { Triple, TripleKey } from '../api/triple.ts';
import type { Override } from './override.ts';
import type { Place } from './place.ts';
import type { SandboxRuntime } from './runtime.ts';

/** How the reason of a failed reading begins where what was found could not be noted on the node. */
export const ledgerFault = 'ledger ';

/** A value that cannot be read or written. */
export interface Fault {
  readonly key: TripleKey;
  /** Of the system: ENOENT the kernel has no such value, EROFS or EACCES it may not be written… */
  readonly code: string;
}

/** What an agent saw in one network namespace, after what it did there. */
export interface Reading {
  readonly place: Place;
  /**
   * `absent`: no process of the pod on this host has a network namespace of its own. `contested`: which pod's it is
   * cannot be told, so nothing is changed there. `sandboxed`: what the host holds for it serves none of its connections.
   */
  readonly state: 'read' | 'absent' | 'failed' | 'contested' | 'sandboxed';
  /** The pod may have gone on to another network, which was not found. */
  readonly doubted?: true;
  /** With `sandboxed`. */
  readonly sandbox?: SandboxRuntime;
  /** Read back from the kernel; without what it does not have. */
  readonly now: Partial<Triple>;
  /** What was there before the first write, of the values that are held. */
  readonly found: Partial<Triple>;
  readonly faults: readonly Fault[];
  /** With `failed`: why it could not be entered, an error code where there is one. With `contested`: who else claims it. With `sandboxed`: what runs it. */
  readonly reason?: string;
  /** How often a value was put right after somebody else had made it looser. */
  readonly repaired: number;
  /** Whether that happened this time. */
  readonly putRight: boolean;
  readonly override?: Override;
  /** What was written this time. */
  readonly wrote: Partial<Triple>;
}

/** Places with a kernel of their own: no connection of theirs is one of the host's. */
export function sandboxedIn(readings: ReadonlyMap<Place, Reading>): ReadonlySet<Place> {
  return new Set(
    [...readings.values()].filter(({ state }) => state === 'sandboxed').map(({ place }) => place),
  );
}
