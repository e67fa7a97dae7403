import { isComponent } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { Homes } from '../policy/webhook.ts';
import { usualHomes } from '../policy/webhook.ts';
import { valueOr } from './cluster.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import { containersOf } from './lease-name.ts';

/** Where controller and agents are, which is what the admission objects of an installation name; where they are not seen, as the manifests have it. */
export function placesIn({
  deployments,
  daemonSets,
}: Pick<DoctorFacts, 'deployments' | 'daemonSets'>): Homes {
  const ofController = valueOr(deployments, []).find(isOf('controller'));
  const controller = ofController?.metadata.namespace ?? usualHomes.controller;
  const ofAgents = valueOr(daemonSets, []).find(isOf('agent'))?.metadata.namespace;
  return { controller, agents: ofAgents ?? (isWithoutAgents(ofController) ? controller : usualHomes.agents) };
}

const isOf =
  (component: 'controller' | 'agent') =>
  ({ metadata }: KubeObject) =>
    isComponent(component, metadata.labels);

/** Whether the controller is told that there are none: nobody's namespace is left out for them then. */
function isWithoutAgents(controller: KubeObject | undefined): boolean {
  const variables = controller === undefined ? [] : containersOf(controller).flatMap(({ env = [] }) => env);
  return variables.some(({ name, value }) => name === 'AGENTS' && value === 'none');
}
