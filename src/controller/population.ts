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
  const here = pods.keysBy('place', place);
  const own = namespace === '' ? here : pods.keysBy('namespace', namespace);
  // The smaller of the two: pods of others that wait for a node may be many.
  for (const key of own.size < here.size ? own : here) {
    const pod = here.has(key) && own.has(key) ? pods.get(key) : undefined;
    const basis = pod && count.basisOf(pod.namespace, key);
    if (pod !== undefined && basis !== undefined) yield { pod, basis };
  }
}
