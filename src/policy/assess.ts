import type { Effective, Finding, PodCounts } from '../api/status.ts';
import { findingLimit, skipReasons } from '../api/status.ts';
import { staysUnder } from './derive.ts';
import { exposedFinding, generalFindings, skippedFinding, stricterFinding } from './finding.ts';
import type { NamespaceView, PodView } from './pod.ts';
import type { EffectivePolicy, Policy } from './policy.ts';
import { describePolicy, selectsNamespace, selectsPod } from './policy.ts';
import type { Skip } from './skip.ts';
import { skipOf } from './skip.ts';
import { isTightenedBy } from './strictest.ts';

/** A namespace with its pods. */
export interface Neighbourhood {
  readonly namespace: NamespaceView;
  readonly pods: Iterable<PodView>;
}

export interface Assessment {
  readonly pods: PodCounts;
  /** Worst first, at most findingLimit. */
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
}

interface Census {
  declared: number;
  readonly exposed: PodView[];
  readonly skipped: { readonly pod: PodView; readonly skip: Skip }[];
  /** Stricter policy → pods on which it binds instead. */
  readonly stricter: Map<EffectivePolicy, number>;
}

/** What can be said of a policy from the pods that it selects, beside all other policies. */
export function assess(
  policy: EffectivePolicy,
  neighbourhoods: Iterable<Neighbourhood>,
  others: readonly Policy[],
): Assessment {
  const census: Census = { declared: 0, exposed: [], skipped: [], stricter: new Map() };
  const stricter = others.filter((other) => isStricter(other, policy));
  for (const { namespace, pods } of neighbourhoods) {
    if (!selectsNamespace(policy, namespace)) continue;
    const stricterHere = stricter.filter((other) => selectsNamespace(other, namespace));
    for (const pod of pods) {
      if (!pod.live || !selectsPod(policy, pod)) continue;
      const standing = standingOf(pod, namespace, policy.effective);
      count(census, pod, standing);
      // On a pod that is left as it is, nobody's values bind.
      if (standing === undefined || standing === 'declared') countStricter(census, pod, stricterHere);
    }
  }
  return { pods: countsOf(census), ...findingsOf(census, policy) };
}

/** Whether `other` changes pods and has a value that replaces one of the policy's where both select a pod. */
function isStricter(other: Policy, policy: EffectivePolicy): other is EffectivePolicy {
  return (
    other !== policy &&
    other.spec.mode === 'Enforce' &&
    other.effective !== undefined &&
    isTightenedBy(policy.effective, other.effective)
  );
}

type Standing = Skip | 'declared' | undefined;

/**
 * `undefined`: exposed. A pod of a node's own network, or of Windows, declares nothing, whatever the defaults of
 * Linux would be worth to another. A pod whose own values are good is counted as such, whatever else holds of it.
 */
function standingOf(pod: PodView, namespace: NamespaceView, { idleTimeoutSeconds }: Effective): Standing {
  const ownKernel = !pod.hostNetwork && !pod.windows;
  if (ownKernel && pod.declared !== undefined && staysUnder(pod.declared, idleTimeoutSeconds))
    return 'declared';
  return skipOf(pod, namespace);
}

function count(census: Census, pod: PodView, standing: Standing): void {
  if (standing === 'declared') census.declared += 1;
  else if (standing === undefined) census.exposed.push(pod);
  else census.skipped.push({ pod, skip: standing });
}

function countStricter({ stricter }: Census, pod: PodView, candidates: readonly EffectivePolicy[]): void {
  for (const other of candidates) {
    if (selectsPod(other, pod)) stricter.set(other, (stricter.get(other) ?? 0) + 1);
  }
}

function countsOf({ declared, exposed, skipped }: Census): PodCounts {
  const selected = declared + exposed.length + skipped.length;
  const counts = { selected, declared, skipped: skipped.length, summary: `${declared}/${selected}` };
  if (skipped.length === 0) return counts;
  const skippedBy = skipReasons
    .map((reason) => ({ reason, count: skipped.filter(({ skip }) => skip.reason === reason).length }))
    .filter((entry) => entry.count > 0);
  return { ...counts, skippedBy };
}

/** What no value can help, then pods that are exposed, then pods left out, then what is merely stricter. */
function findingsOf(census: Census, policy: EffectivePolicy) {
  const { exposed, skipped, stricter } = census;
  const general = generalFindings(policy);
  const listed = [
    ...general,
    ...firstByName(exposed, (pod) => pod).map((pod) => exposedFinding(pod, policy)),
    ...firstByName(skipped, ({ pod }) => pod).map(({ pod, skip }) => skippedFinding(pod, skip, policy)),
    ...[...stricter]
      .map(([other, pods]) => stricterFinding(other, pods, describePolicy(other)))
      .sort((a, b) => compareText(a.policy ?? '', b.policy ?? '')),
  ];
  return {
    findings: listed.slice(0, findingLimit),
    findingsTotal: general.length + exposed.length + skipped.length + stricter.size,
  };
}

/** The same pods are named every time, so that a status changes only when the world did. */
function firstByName<T>(items: readonly T[], podOf: (item: T) => PodView): T[] {
  const first: T[] = [];
  const before = (a: T, b: T) =>
    compareText(podOf(a).namespace, podOf(b).namespace) || compareText(podOf(a).name, podOf(b).name);
  for (const item of items) {
    const last = first[findingLimit - 1];
    if (last !== undefined && before(item, last) >= 0) continue;
    const at = first.findIndex((other) => before(item, other) < 0);
    first.splice(at === -1 ? first.length : at, 0, item);
    first.length = Math.min(first.length, findingLimit);
  }
  return first;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
