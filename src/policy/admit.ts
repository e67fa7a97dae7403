import { OWN_VALUES_ANNOTATION, REQUIREMENT_ANNOTATION } from '../api/group.ts';
import { ownValuesText, parseRequirement, requirementText } from './admitted.ts';
import { hasRoom } from './annotation-room.ts';
import { amend, amended } from './enough.ts';
import type { NamespaceView, RawPod } from './pod.ts';
import { podView } from './pod.ts';
import type { Policy } from './policy.ts';
import { selectsNamespace, selectsPod } from './policy.ts';
import type { Requirement } from './requirement.ts';
import { requirementOf, together } from './requirement.ts';
import { skipOf } from './skip.ts';
import type { Sysctl } from './sysctl.ts';
import { mergeSysctls, valuesOf } from './sysctl.ts';
import { takenBack } from './take-back.ts';
import { ownBefore } from './written.ts';

type Annotations = Readonly<Record<string, string>>;

/** What becomes of a pod at its creation. */
export interface Admitted {
  readonly sysctls: readonly Sysctl[];
  readonly annotations: Annotations;
}

/** The pod's own sysctls and annotations, with what every policy that selects it and enforces makes of them. */
export function admit(pod: RawPod, namespace: NamespaceView, policies: readonly Policy[]): Admitted {
  const { sysctls = [] } = pod.spec?.securityContext ?? {};
  const { annotations = {} } = pod.metadata ?? {};
  const view = podView(pod);
  const asked = together(
    policies
      .filter((policy) => policy.spec.mode === 'Enforce')
      .filter((policy) => selectsNamespace(policy, namespace) && selectsPod(policy, view))
      .flatMap(({ effective }) => (effective === undefined ? [] : [requirementOf(effective)])),
  );
  const given = { sysctls, annotations };
  const skip = skipOf(view, namespace);
  // Whoever asks by now: a policy that acted a moment ago may have been why it was given anything.
  if (skip !== undefined) return skip.reason === 'PodSecurityPinned' ? given : takenBack(given);
  if (asked === undefined) return given;
  const made = changed(given, asked);
  return hasRoom(made.annotations) ? made : given;
}

function changed(pod: Admitted, asked: Requirement): Admitted {
  const { sysctls } = pod;
  const { [OWN_VALUES_ANNOTATION]: noted, ...annotations } = pod.annotations;
  const earlier = parseRequirement(annotations[REQUIREMENT_ANNOTATION]);
  const requirement = (earlier && together([asked, earlier])) ?? asked;
  const own = ownBefore(pod);
  // What was changed once was not enough for one of those that asked before, and so is not for all of them.
  const values = own === undefined ? amend(valuesOf(sysctls), requirement) : amended(own.values, requirement);
  const asks = { [REQUIREMENT_ANNOTATION]: requirementText(requirement) };
  // What is enough is only noted: a policy that comes after these has to know what they ask. A note of what it was before is then
  // not of us, and could be taken for ours by whoever asks for what happens to be there.
  if (values === undefined) return { sysctls, annotations: { ...annotations, ...asks } };
  const had = own === undefined || noted === undefined ? ownValuesText(sysctls) : noted;
  return {
    sysctls: mergeSysctls(sysctls, values),
    annotations: { ...annotations, ...asks, [OWN_VALUES_ANNOTATION]: had },
  };
}
