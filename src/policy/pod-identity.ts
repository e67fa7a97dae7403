import type { PodPlace } from './place.ts';

/** What ties a pod of the API to what runs on its node: nothing of it can be written by who may only create pods. */
export interface PodIdentity {
  /** `namespace/name`, to tell people of it. */
  readonly name: string;
  /** The control group that it may be known by before its containers are: undefined where a file made it, not the API. */
  readonly group: string | undefined;
  /** IDs that the runtime gave its containers, as the kubelet wrote them into its status. */
  readonly containers: readonly string[];
}

/** A process of a pod, by the control group that the kubelet and the runtime put it into. */
export interface Sighting {
  readonly group: string;
  /** ID of the container directly below the pod's group, the sandbox included. */
  readonly container: string | undefined;
}

export interface Identified {
  /** The control group of each pod that was found. */
  readonly groups: ReadonlyMap<PodPlace, string>;
  /** Pods that lay claim to what others do, or to two groups: who else does, by name. None of them has a group. */
  readonly contested: ReadonlyMap<PodPlace, readonly string[]>;
}

/**
 * Which pod of the API is which on the node. A group that two pods lead to is nobody's, since whoever may write a
 * status could otherwise point at another's pod; which of the two is right is for people to find out.
 */
export function identify(
  pods: ReadonlyMap<PodPlace, PodIdentity>,
  sightings: Iterable<Sighting>,
): Identified {
  const groupsOf = claimsBy(pods, sightings);
  const claimants = new Map<string, PodPlace[]>();
  for (const [place, groups] of groupsOf)
    for (const group of groups) claimants.set(group, [...(claimants.get(group) ?? []), place]);
  const groups = new Map<PodPlace, string>();
  const contested = new Map<PodPlace, readonly string[]>();
  for (const [place, claimed] of groupsOf) {
    const others = [...claimed].flatMap((group) => claimants.get(group) ?? []).filter((one) => one !== place);
    const [group] = claimed;
    if (others.length === 0 && claimed.size === 1 && group !== undefined) groups.set(place, group);
    else contested.set(place, [...new Set(others.map((one) => pods.get(one)?.name ?? one))].sort());
  }
  return { groups, contested };
}

/** The groups that each pod leads to; without those that lead nowhere. */
function claimsBy(
  pods: ReadonlyMap<PodPlace, PodIdentity>,
  sightings: Iterable<Sighting>,
): Map<PodPlace, ReadonlySet<string>> {
  const seen = new Set<string>();
  const holding = new Map<string, Set<string>>();
  for (const { group, container } of sightings) {
    seen.add(group);
    if (container !== undefined) holding.set(container, (holding.get(container) ?? new Set()).add(group));
  }
  const claims = new Map<PodPlace, ReadonlySet<string>>();
  for (const [place, { group, containers }] of pods) {
    const claimed = new Set(containers.flatMap((container) => [...(holding.get(container) ?? [])]));
    if (group !== undefined && seen.has(group)) claimed.add(group);
    if (claimed.size > 0) claims.set(place, claimed);
  }
  return claims;
}
