/** The API group, its one served version, and the names that other files and the manifests share. */
export const GROUP = 'keepalive.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** Field manager of everything the controller writes, and the name it reports events under. */
export const CONTROLLER_NAME = 'keepalive-controller';
/** Of the node agents: their DaemonSet, their service account, and the namespace that is theirs alone. */
export const AGENT_NAME = 'keepalive-agent';

/** A pod that carries this label with the value "true" is left alone by every policy. */
export const SKIP_LABEL = `${GROUP}/skip`;

/**
 * On a pod that admission changed: what policies asked for by then (timeout, time, interval and declared probes,
 * 90/30/10/-), and what the pod's own spec said before (600/-/-). They make the outcome independent of the order in which the API server applies
 * policies, and tell a reader what was changed. Whoever makes a pod can write them too: they are a claim, and nothing
 * that is written there can make a pod's values looser.
 */
export const REQUIREMENT_ANNOTATION = `${GROUP}/requirement`;
export const OWN_VALUES_ANNOTATION = `${GROUP}/own-values`;

/** Labels of every object that belongs to an installation of the operator. */
export const OPERATOR_LABELS = { 'app.kubernetes.io/name': 'keepalive-operator' } as const;

/** Beside those, of what runs: which part of the operator it is. */
const COMPONENT_LABEL = 'app.kubernetes.io/component';
type Component = 'controller' | 'agent';

export function labelsOf(component: Component): Readonly<Record<string, string>> {
  return { ...OPERATOR_LABELS, [COMPONENT_LABEL]: component };
}

/** Whether something belongs to a part of the operator, as far as labels tell. */
export function isComponent(
  component: Component,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(labelsOf(component)).every(([key, value]) => labels?.[key] === value);
}

/**
 * The API server allows 63 characters for a label value and we say the name of a policy in labels, events
 * and the name of its binding: one limit for all, told at apply.
 */
export const nameLimit = {
  max: 63,
  message: 'the name of a policy may have at most 63 characters',
} as const;

export type PolicyKind = 'KeepalivePolicy' | 'ClusterKeepalivePolicy';

export type KindName = PolicyKind | 'NodeKeepalive';

/** Names of the kinds in paths of the API. */
export const plurals: Readonly<Record<KindName, string>> = {
  KeepalivePolicy: 'keepalivepolicies',
  ClusterKeepalivePolicy: 'clusterkeepalivepolicies',
  NodeKeepalive: 'nodekeepalives',
};
