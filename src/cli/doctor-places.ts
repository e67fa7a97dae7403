import { isComponent } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { Homes } from '../policy/webhook.ts';
import { usualHomes } from '../policy/webhook.ts';
import { valueOr } from './cluster.ts';
import type { DoctorFacts } from './doctor-facts.ts';

/** Where controller and agents are, which is what the admission objects of an installation name; where they are not seen, as the manifests have it. */
export function placesIn({
  deployments,
  daemonSets,
}: Pick<DoctorFacts, 'deployments' | 'daemonSets'>): Homes {
  return {
    controller: namespaceOf('controller', valueOr(deployments, [])) ?? usualHomes.controller,
    agents: namespaceOf('agent', valueOr(daemonSets, [])) ?? usualHomes.agents,
  };
}

function namespaceOf(component: 'controller' | 'agent', objects: readonly KubeObject[]): string | undefined {
  return objects.find(({ metadata }) => isComponent(component, metadata.labels))?.metadata.namespace;
}
