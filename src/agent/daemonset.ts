import type { CallOptions, ApiClient } from '../kube/client.ts';
import { isForbidden } from '../kube/errors.ts';
import { RequirementError } from '../kube/requirement.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { DaemonSetRecord } from '../policy/daemonset.ts';
import { mayBeOn } from '../policy/placement.ts';
import type { NamespaceView } from '../policy/pod.ts';
import { resources } from './resource.ts';

/**
 * Whether one of these makes another agent for the node: that of this agent under whatever name an overlay gave it, one
 * that took its name since, or one that was given another name.
 */
export function isFollowed(
  own: string,
  daemonSets: Iterable<DaemonSetRecord>,
  node: NamespaceView | undefined,
): boolean {
  return [...daemonSets].some(
    ({ name, isOfAgents, isEnding, placement }) =>
      (name === own || isOfAgents) && !isEnding && (node === undefined || mayBeOn(placement, node)),
  );
}

export interface OwnPod {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The name of the DaemonSet that the agent's own pod says it belongs to. Rejects with a RequirementError where the agent
 * could not tell an upgrade from an uninstallation later, and would have to guess with the values of a whole node.
 */
export async function ownDaemonSet(
  client: ApiClient,
  { namespace, name }: OwnPod,
  options: CallOptions,
): Promise<string> {
  const fieldSelector = `metadata.name=${name}`;
  const [{ items }] = await Promise.all([
    client.listPage({ ...resources.pods, namespace }, { fieldSelector, limit: 1 }, options),
    client.listPage({ ...resources.daemonsets, namespace }, { limit: 1 }, options).catch(refuse(namespace)),
  ]);
  const [pod] = items;
  if (pod === undefined) {
    throw new RequirementError(
      `there is no pod ${name} in namespace ${namespace}: POD_NAME and POD_NAMESPACE have to name the agent's own pod, as deploy/agent.yaml sets them`,
    );
  }
  const owner = ownersOf(pod).find(({ kind, controller }) => kind === 'DaemonSet' && controller === true);
  if (owner === undefined) {
    throw new RequirementError(
      `pod ${name} belongs to no DaemonSet, so nobody would follow this agent on its node: run it by the DaemonSet of deploy/agent.yaml`,
    );
  }
  return owner.name;
}

interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly controller?: boolean;
}

function ownersOf({ metadata }: KubeObject): readonly Owner[] {
  return (metadata as { readonly ownerReferences?: readonly Owner[] }).ownerReferences ?? [];
}

function refuse(namespace: string): (error: unknown) => never {
  return (error) => {
    if (!isForbidden(error)) throw error;
    throw new RequirementError(
      `the agent may not read the DaemonSets of namespace ${namespace}, so it could not tell an upgrade from an uninstallation: ` +
        'apply the Role and the RoleBinding of deploy/agent.yaml again, in that namespace',
    );
  };
}
