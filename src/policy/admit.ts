import type { NamespaceView, RawPod } from './pod.ts';
import { podView } from './pod.ts';
import type { Policy } from './policy.ts';
import { selectsNamespace, selectsPod } from './policy.ts';
import { skipOf } from './skip.ts';
import { strictest } from './strictest.ts';
import type { Sysctl } from './sysctl.ts';
import { mergeSysctls } from './sysctl.ts';

/** The sysctls that a pod is created with: its own, tightened by every policy that selects and enforces. */
export function admit(pod: RawPod, namespace: NamespaceView, policies: readonly Policy[]): readonly Sysctl[] {
  const have = pod.spec?.securityContext?.sysctls ?? [];
  const view = podView(pod);
  if (skipOf(view, namespace) !== undefined) return have;
  const [first, ...others] = policies
    .filter((policy) => policy.spec.mode === 'Enforce')
    .filter((policy) => selectsNamespace(policy, namespace) && selectsPod(policy, view))
    .map((policy) => policy.effective)
    .filter((effective) => effective !== undefined);
  return first === undefined ? have : mergeSysctls(have, strictest(first, ...others));
}
