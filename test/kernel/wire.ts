import type { Place, PodPlace } from '../../src/policy/place.ts';
import { HOST } from '../../src/policy/place.ts';
import type { PodIdentity } from '../../src/policy/pod-identity.ts';
import type { SweepRequest } from '../../src/agent/connections/network-sweep.ts';
import type { Request } from '../../src/agent/connections/socket-link.ts';

/** What is asked of a program inside a machine, as JSON has it. */
export interface LookWire {
  readonly targets: Request['targets'];
  readonly hostPods: readonly PodPlace[];
}

export interface SweepWire {
  readonly cookie: string;
  /** As the machine numbers it. */
  readonly pid: number;
  readonly owner: string;
  readonly pins: string;
}

export function sweepRequestOf({ cookie, pid, owner, pins }: SweepWire): SweepRequest {
  return { networks: [{ cookie: BigInt(cookie), pid, owner }], pins };
}

export function requestOf({ targets, hostPods }: LookWire): Request {
  return { targets, hostPods: new Set(hostPods), pods: identitiesOf(targets) };
}

/** Each pod stands in the control group of its own uid. */
export function identitiesOf(
  places: readonly { readonly place: Place }[],
): ReadonlyMap<PodPlace, PodIdentity> {
  const identity = (place: PodPlace) => ({
    ...{ name: place, group: place.slice('pod/'.length), containers: [] },
  });
  return new Map(places.flatMap(({ place }) => (place === HOST ? [] : [[place, identity(place)] as const])));
}
