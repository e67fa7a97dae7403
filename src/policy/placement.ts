import type { NamespaceView } from './pod.ts';
import type { NodeRequirement, NodeSelectorTerm, Scheduling } from './scheduling.ts';
import { asksForNothing, requiredTerms } from './scheduling.ts';

type Labels = Readonly<Record<string, string>>;

/** Which nodes the pods of a template may be on, as far as the template itself says so. */
export interface Placement {
  readonly nodeSelector: Labels;
  /** One of them is enough; undefined where the template names none. */
  readonly terms: readonly NodeSelectorTerm[] | undefined;
}

export function placementOf(spec: Scheduling = {}): Placement {
  return { nodeSelector: spec.nodeSelector ?? {}, terms: requiredTerms(spec) };
}

/**
 * As the controller of DaemonSets asks it, but for taints, which the agents tolerate
 * (k8s.io/component-helpers/scheduling/corev1/nodeaffinity).
 */
export function mayBeOn({ nodeSelector, terms }: Placement, node: NamespaceView): boolean {
  return (
    Object.entries(nodeSelector).every(([key, value]) => valueOf(node.labels, key) === value) &&
    (terms === undefined || terms.some((term) => matches(term, node)))
  );
}

function matches(term: NodeSelectorTerm, { name, labels }: NamespaceView): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (asksForNothing(term)) return false;
  return (
    matchExpressions.every((requirement) => holds(requirement, valueOf(labels, requirement.key))) &&
    matchFields.every((requirement) => requirement.key === 'metadata.name' && holds(requirement, name))
  );
}

const operators: Readonly<Record<string, (value: string | undefined, values: readonly string[]) => boolean>> =
  {
    In: (value, values) => value !== undefined && values.includes(value),
    NotIn: (value, values) => value === undefined || !values.includes(value),
    Exists: (value) => value !== undefined,
    DoesNotExist: (value) => value === undefined,
    Gt: (value, [bound]) => value !== undefined && Number(value) > Number(bound),
    Lt: (value, [bound]) => value !== undefined && Number(value) < Number(bound),
  };

/** What a newer Kubernetes may ask is taken for met: a node that is then away is told of, and not passed over. */
function holds({ operator, values = [] }: NodeRequirement, value: string | undefined): boolean {
  return !Object.hasOwn(operators, operator) || operators[operator]?.(value, values) === true;
}

/** Labels come from users: a key such as `constructor` must not be found on the prototype. */
function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
