import type { NodePod } from '../policy/node-pod.ts';
import type { EffectivePolicy } from '../policy/policy.ts';
import { selectsNamespace, selectsPod } from '../policy/policy.ts';
import { selectsNode } from '../policy/selection.ts';
import type { Answer } from './cluster.ts';
import { known } from './cluster.ts';
import type { PodFacts } from './explain-facts.ts';

/** A pod of its node's own network has what is asked for that node. */
export function isFor(policy: EffectivePolicy, facts: PodFacts): boolean {
  return selectsByLabels(policy, facts) || selectsItsNetwork(policy, facts);
}

export function selectsByLabels(
  policy: EffectivePolicy,
  { pod, namespace }: Pick<PodFacts, 'pod' | 'namespace'>,
): boolean {
  const { namespace: name } = pod;
  // The label that the API server gives every namespace.
  const view = namespace.known ? namespace.value : { name, labels: { 'kubernetes.io/metadata.name': name } };
  return selectsNamespace(policy, view) && selectsPod(policy, pod);
}

/** As far as the labels of its node are known. */
export function selectsItsNetwork(
  policy: EffectivePolicy,
  { pod, node }: Pick<PodFacts, 'pod' | 'node'>,
): boolean {
  const itself = node?.node.known ? node.node.value : undefined;
  return pod.hostNetwork && itself !== undefined && selectsNode(policy, itself);
}

/** As the agent of its node counts them. */
export function selectedBeside(
  policy: EffectivePolicy,
  { beside }: Pick<PodFacts, 'beside'>,
): Answer<readonly NodePod[]> {
  const all = beside[policy.kind];
  if (!all.known) return all;
  const selected = all.value.filter(
    ({ pod, namespace }) => pod.live && selectsNamespace(policy, namespace) && selectsPod(policy, pod),
  );
  return known(selected.map(({ pod }) => pod));
}
