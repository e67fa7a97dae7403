import { SKIP_LABEL } from '../api/group.ts';
import type { SkippedBy, SkipReason } from '../api/status.ts';
import { skipReasons } from '../api/status.ts';
import type { NamespaceView, PodView } from './pod.ts';

/** Why a pod is left as it is; the advice is what a finding tells the reader. */
export interface Skip {
  readonly reason: SkipReason;
  readonly advice: string;
}

interface SkipRule extends Skip {
  /** Who leaves it: a running pod has no spec to be refused, so the agent of its node passes over fewer. */
  readonly by: 'admission' | 'everyone';
  readonly applies: (pod: PodView, namespace: NamespaceView) => boolean;
}

/** Pod Security's baseline allows the keepalive sysctls from v1.29 on (pod-security-admission, check_sysctls.go). */
const olderThanAllowed = /^v1[.]([0-9]|1[0-9]|2[0-8])$/;
export const pinnedVersionPattern = olderThanAllowed.source;
export const enforceLabel = 'pod-security.kubernetes.io/enforce';
export const enforceVersionLabel = 'pod-security.kubernetes.io/enforce-version';
export const restrictingLevels = ['baseline', 'restricted'] as const;

export function isPinned({ labels }: NamespaceView): boolean {
  const level: string = labels[enforceLabel] ?? '';
  return (
    (restrictingLevels as readonly string[]).includes(level) &&
    olderThanAllowed.test(labels[enforceVersionLabel] ?? 'latest')
  );
}

/** By its own label: whatever could be done to it is not. */
export function isLeftAlone({ labels }: PodView): boolean {
  return labels[SKIP_LABEL] === 'true';
}

/** In the order in which a reader should hear of them: what was asked for first, then what cannot be. */
const skips: readonly SkipRule[] = [
  {
    reason: 'SkipLabel',
    by: 'everyone',
    advice: `the label ${SKIP_LABEL} asks to leave it alone`,
    applies: isLeftAlone,
  },
  {
    reason: 'HostNetwork',
    by: 'everyone',
    advice:
      "it uses its node's own network, whose values a pod cannot declare: select the node in a ClusterKeepalivePolicy; " +
      'where one of this timeout or less does, its findings say why the node does not hold the values',
    applies: (pod) => pod.hostNetwork,
  },
  {
    reason: 'Windows',
    // Agents run on Linux only: what lives on the node of one is for Linux, whatever its spec tolerates.
    by: 'admission',
    advice: 'Windows has no such sysctls: set KeepAliveTime in the registry of its nodes',
    applies: (pod) => pod.windows,
  },
  {
    reason: 'StaticPod',
    by: 'admission',
    advice: 'it is a static pod: put the sysctls into its file on the node',
    applies: (pod) => pod.staticPod,
  },
  {
    reason: 'PodSecurityPinned',
    by: 'admission',
    advice: `its namespace enforces Pod Security as of before v1.29, which forbids the keepalive sysctls: raise the label ${enforceVersionLabel}`,
    applies: (_pod, namespace) => isPinned(namespace),
  },
];

/** The first reason why the agent of its node leaves this pod as it is, too. */
export function agentSkipOf(pod: PodView): Skip | undefined {
  return skips.find(
    ({ by, applies }) => by === 'everyone' && applies(pod, { name: pod.namespace, labels: {} }),
  );
}

/** The first reason why admission leaves this pod as it is; `undefined` for a pod that it takes care of. */
export function skipOf(pod: PodView, namespace: NamespaceView): Skip | undefined {
  return skips.find((skip) => skip.applies(pod, namespace));
}

/** In the order of skipReasons, without those that do not occur. */
export function countSkips(reasons: readonly SkipReason[]): SkippedBy {
  return skipReasons
    .map((reason) => ({ reason, count: reasons.filter((one) => one === reason).length }))
    .filter(({ count }) => count > 0);
}
