import type { ClusterKeepalivePolicySpec } from '../api/spec.ts';
import { selects } from './label-selector.ts';
import type { NodePod } from './node-pod.ts';
import type { NamespaceView } from './pod.ts';
import type { PodPlace } from './place.ts';
import type { PodIdentity } from './pod-identity.ts';
import type { EffectivePolicy, Policy } from './policy.ts';
import { namespaceSelectorOf, selectsNamespace, selectsPod } from './policy.ts';
import type { PolicyRecord } from './record.ts';
import { agentSkipOf, isLeftAlone } from './skip.ts';
import type { Requirement } from './requirement.ts';
import { requirementOf, together } from './requirement.ts';
import type { Wanted } from './tighten.ts';

/** A node as selectors see it. */
export type NodeView = NamespaceView;

/** All that the agent of a node decides from. */
export interface NodeCircumstances {
  /** Undefined until it was read: no policy selects it then. */
  readonly node: NodeView | undefined;
  readonly pods: Iterable<NodePod>;
  readonly namespaces: { get(name: string): NamespaceView | undefined };
  readonly policies: Iterable<PolicyRecord>;
}

/** A policy that gives values, with the object that it was read from. */
export interface Selecting {
  readonly record: PolicyRecord;
  readonly policy: EffectivePolicy;
}

/** A pod, or the node itself, with the policies that select it. */
export interface Selection {
  readonly by: readonly Selecting[];
  /** What those ask for together that enforce. */
  readonly wanted: Wanted;
  /** What those ask for together that also ask for open connections to be repaired. */
  readonly sockets: Requirement | undefined;
}

export interface PodSelection extends Selection {
  readonly pod: NodePod;
}

export interface NodeSelections {
  /** Every pod of the node that has not ended, selected or not. */
  readonly pods: readonly PodSelection[];
  readonly host: Selection;
}

/** All pods of the node, selected or not, so that none of them is taken for another. */
export function identitiesOf({ pods }: NodeSelections): ReadonlyMap<PodPlace, PodIdentity> {
  return new Map(pods.map(({ pod }) => [pod.place, pod.identity]));
}

export function selectOnNode(circumstances: NodeCircumstances): NodeSelections {
  const { node, pods, namespaces } = circumstances;
  const records = [...circumstances.policies];
  const policies = records.flatMap(readable);
  const isPuzzled = puzzled(records);
  const inNamespace = new Map<string, Candidates>();
  const candidatesIn = (name: string) => {
    const known = inNamespace.get(name);
    if (known !== undefined) return known;
    const found = candidatesOf(policies, name, namespaces.get(name));
    inNamespace.set(name, found);
    return found;
  };
  return {
    pods: [...pods]
      .filter((pod) => !pod.ended)
      .map((pod) => {
        const ofPod = ({ policy }: Selecting) => selectsPod(policy, pod);
        const { surely, perhaps } = candidatesIn(pod.namespace);
        const by = surely.filter(ofPod);
        const isUnknown = isPuzzled(pod.namespace) || perhaps.some(ofPod);
        const acting = agentSkipOf(pod) === undefined ? by : [];
        return {
          ...{ pod, by },
          // What asks to be left alone is, whatever is asked.
          wanted: { asked: askedBy(acting), hold: !isLeftAlone(pod) && isUnknown },
          // Its descriptors can be reached whatever network it uses.
          sockets: askedBy((isLeftAlone(pod) ? [] : by).filter(repairs)),
        };
      }),
    host: hostSelection(node, policies, isPuzzled()),
  };
}

/** Of one namespace. */
interface Candidates {
  readonly surely: readonly Selecting[];
  /** They ask for labels of a namespace that was not read yet. */
  readonly perhaps: readonly Selecting[];
}

/**
 * Pods and namespaces are heard of by two watches. Without its labels a namespace would be one that nobody left out, and what a
 * socket was given then stays.
 */
function candidatesOf(
  policies: readonly Selecting[],
  name: string,
  namespace: NamespaceView | undefined,
): Candidates {
  const perhaps = policies.filter(
    ({ policy }) => namespace === undefined && namespaceSelectorOf(policy) !== undefined,
  );
  const view = namespace ?? { name, labels: {} };
  const surely = policies.filter((one) => !perhaps.includes(one) && selectsNamespace(one.policy, view));
  return { surely, perhaps };
}

function hostSelection(node: NodeView | undefined, policies: readonly Selecting[], hold: boolean): Selection {
  const by = node === undefined ? [] : policies.filter(({ policy }) => selectsNode(policy, node));
  return { by, wanted: { asked: askedBy(by), hold }, sockets: askedBy(by.filter(repairs)) };
}

/**
 * Whether a policy that may select a pod of a namespace, or the node itself, cannot be read: it may be of a newer
 * version, and ask for what is held.
 */
function puzzled(records: readonly PolicyRecord[]): (namespace?: string) => boolean {
  const unread = records.filter(({ problems }) => problems !== undefined).map(({ namespace }) => namespace);
  return (namespace = '') => unread.includes('') || (namespace !== '' && unread.includes(namespace));
}

/** Whether a policy asks for the node's own network. */
export function selectsNode({ spec }: Policy, node: NodeView): boolean {
  const { nodes } = spec as Partial<ClusterKeepalivePolicySpec>;
  return nodes !== undefined && selects(nodes.selector, node.labels);
}

function readable(record: PolicyRecord): Selecting[] {
  const { policy } = record;
  return policy?.effective === undefined ? [] : [{ record, policy: policy as EffectivePolicy }];
}

function repairs({ policy }: Selecting): boolean {
  return policy.spec.openConnections === 'Repair';
}

function askedBy(by: readonly Selecting[]): Requirement | undefined {
  const acting = by.filter(({ policy }) => policy.spec.mode === 'Enforce');
  return together(acting.map(({ policy }) => requirementOf(policy.effective)));
}
