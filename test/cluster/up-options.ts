import type { Family } from './addresses.ts';
import type { GuestSpec } from './guest-node/guest-spec.ts';
import type { LabState } from './lab.ts';
import type { Prepared } from './prepare.ts';

/** What is asked of a cluster before it starts. */
export interface UpOptions {
  readonly name?: string;
  /** How many; 1 unless told otherwise. */
  readonly nodes?: number;
  /**
   * etcd and the API server alone: nobody makes pods, places them or cleans up after them, so that what is there is what somebody
   * wrote. With no nodes.
   */
  readonly isBare?: boolean;
  /** Further nodes that are machines of their own: g1, g2 and so on. */
  readonly guests?: readonly GuestSpec[];
  /** Archives that every node has from the start, beside the lab's own: each of those that are for its architecture. */
  readonly archives?: readonly string[];
  /** ipv4 unless told otherwise. */
  readonly family?: Family;
  /** The AdmissionConfiguration of the API server, as YAML: defaults of Pod Security, for instance. */
  readonly admission?: string;
  /** As 1.37.2, or 1.36 for the latest of that line. */
  readonly kubernetes?: string;
  /** The cluster dies with this process; otherwise it lives until `down`. */
  readonly owned?: boolean;
  /** Told each step as it is done. */
  readonly onProgress?: (step: string) => void;
  /** Ends the start half way, and takes down what stands by then. */
  readonly signal?: AbortSignal;
}

/** The same as its lab keeps it, for other processes. */
export function factsOf(
  { isBare, nodes = isBare ? 0 : 1, guests = [], family = 'ipv4', owned = false, admission }: UpOptions,
  { kubernetes, programs }: Prepared,
): Omit<LabState, 'maker' | 'ready'> {
  return {
    ...{ owned, family, kubernetes, programs, hasAdmissionFile: admission !== undefined },
    nodes: Array.from({ length: nodes }, (_, at) => `n${at + 1}`),
    ...(guests.length === 0 ? {} : { guests }),
  };
}
