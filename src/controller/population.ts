import type { Census } from '../policy/census.ts';
import type { Population, PolicyCount } from '../policy/count.ts';
import type { World } from './world.ts';

/** All pods and namespaces that there are, as they are at present. */
export function populationOf({ pods, namespaces }: Pick<World, 'pods' | 'namespaces'>): Population {
  return {
    podsIn: (namespace) => pods.keysBy('namespace', namespace),
    pod: (key) => pods.get(key),
    namespace: (name) => namespaces.get(name),
  };
}

/** Those of a place that count for a policy, and on what. */
export function* podsAt(place: string, count: PolicyCount, { pods }: Pick<World, 'pods'>) {
  const { namespace } = count.policy;
  for (const key of pods.keysBy('place', place)) {
    const pod = pods.get(key);
    if (pod === undefined || (namespace !== '' && pod.namespace !== namespace)) continue;
    const basis = count.basisOf(pod.namespace, key);
    if (basis !== undefined) yield { pod, basis };
  }
}

/** What agents told of a policy before its pods were counted may be of all that are there. */
export function noteStored(
  policy: string,
  census: Census,
  { nodekeepalives }: Pick<World, 'nodekeepalives'>,
): void {
  let hint = 0;
  for (const node of census.places()) {
    const said = nodekeepalives.get(node)?.said;
    const index = said?.indexOf(policy, hint) ?? -1;
    if (said === undefined || index === -1) continue;
    census.noteRead(node, said.podsDigestAt(index));
    hint = index;
  }
}
