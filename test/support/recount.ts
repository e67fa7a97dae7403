import type { Coverage } from '../../src/api/condition.ts';
import type {
  ConnectionTotals,
  Effective,
  Finding,
  HostCounts,
  NodeCounts,
  PodCounts,
} from '../../src/api/status.ts';
import { findingLimit } from '../../src/api/status.ts';
import { tripleKeys } from '../../src/api/triple.ts';
import { coverageOf } from '../../src/policy/coverage.ts';
import { meets } from '../../src/policy/enough.ts';
import type { Missed, Silence } from '../../src/policy/finding.ts';
import {
  compareText,
  exposedDraft,
  generalFindings,
  missedDraft,
  ownValuesChanged,
  skippedDraft,
  stricterFinding,
  whereabouts,
  worded,
  worstFirst,
} from '../../src/policy/finding.ts';
import type { NamespaceView, PodView } from '../../src/policy/pod.ts';
import type { EffectivePolicy, Policy } from '../../src/policy/policy.ts';
import { selectsNamespace, selectsPod } from '../../src/policy/policy.ts';
import { requirementOf, together, valuesFor } from '../../src/policy/requirement.ts';
import { bySpecs } from '../../src/policy/rollup.ts';
import type { Skip } from '../../src/policy/skip.ts';
import { agentSkipOf, countSkips, skipOf } from '../../src/policy/skip.ts';
import type { GivenSince } from '../../src/policy/withholding.ts';
import type { PlainFacts, PodsHere, Rollup } from './recount-nodes.ts';
import { nodeStateOf, rollUp } from './recount-nodes.ts';

/**
 * A plain count of everything, pod by pod and report by report, as it was before counts were kept up: what is kept up has to be
 * equal to it.
 */

/** A namespace with its pods. */
export interface Neighbourhood {
  readonly namespace: NamespaceView;
  readonly pods: Iterable<PodView>;
}

export interface Assessment {
  readonly pods: PodCounts;
  readonly nodes: NodeCounts | undefined;
  readonly hosts: HostCounts | undefined;
  readonly connections: ConnectionTotals | undefined;
  /** Worst first, at most findingLimit. */
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
  /** Nodes whose agents do not hold this generation yet, in order. */
  readonly awaited: readonly string[];
  readonly coverage: Coverage;
}

interface Census {
  selected: number;
  declared: number;
  pending: number;
  /** Of the declared, those that have started. */
  started: number;
  /** Judged by their specs, since no agent can tell better. */
  readonly exposed: PodView[];
  readonly skipped: { readonly pod: PodView; readonly skip: Skip }[];
  readonly missed: Missed[];
  /** Whose own values admission changed, where no agent tells of it. */
  readonly changed: PodView[];
  readonly nodes: Map<string, PodsHere>;
  /** Stricter policy → pods on which it binds instead. */
  readonly stricter: Map<EffectivePolicy, number>;
}

/** All that an assessment depends on. */
export interface Surroundings {
  readonly generation: number;
  /** As a report tells it of this policy, of that uid; 1 unless told. */
  readonly digest?: number;
  readonly neighbourhoods: Iterable<Neighbourhood>;
  /** Every policy that may select the same pods. */
  readonly others: readonly Policy[];
  readonly facts: PlainFacts;
  readonly givenSince?: GivenSince;
  /** Namespaces in which admission gives way to something that refuses the values. */
  readonly silentIn?: ReadonlyMap<string, Silence>;
}

export function recount(policy: EffectivePolicy, surroundings: Surroundings): Assessment {
  const { generation, facts, silentIn } = surroundings;
  const census = censusOf(policy, surroundings);
  const rollup = facts.anyAgent ? rollUp(policy, generation, { facts, withPods: census.nodes }) : undefined;
  const pods = countsOf(census, rollup);
  const told = findingsOf(census, policy, { rollup, facts, silentIn });
  const { nodes, hosts, connections, awaited = [] } = rollup ?? {};
  const known = rollup?.known ?? bySpecs(uncoveredBySpecs(census));
  const folded = rollup && { ...rollup, skips: [] };
  const coverage = coverageOf({ pods, hosts, connections, known, rollup: folded, findings: told.findings });
  return { pods, nodes, hosts, connections, awaited, ...told, coverage };
}

function uncoveredBySpecs({ exposed, skipped, missed }: Census): number {
  return exposed.length + skipped.length + missed.filter(({ isJudged }) => isJudged).length;
}

function censusOf(
  policy: EffectivePolicy,
  { generation, neighbourhoods, others, facts, givenSince = () => undefined }: Surroundings,
): Census {
  const census: Census = {
    ...{ selected: 0, declared: 0, pending: 0, started: 0, exposed: [], skipped: [], changed: [] },
    ...{ nodes: new Map(), stricter: new Map(), missed: [] },
  };
  const stricter = others.filter((other) => isStricter(other, policy));
  for (const { namespace, pods } of neighbourhoods) {
    if (!selectsNamespace(policy, namespace)) continue;
    const stricterHere = stricter.filter((other) => selectsNamespace(other, namespace));
    const since = givenSince(namespace.name);
    for (const pod of pods) {
      if (!pod.live || !selectsPod(policy, pod)) continue;
      const isSilent = nodeStateOf(pod.node, facts, generation) === 'silent';
      const standing = standingOf(pod, namespace, policy.effective);
      const isJudged = isSilent && !isForAgents(pod, facts);
      count(census, pod, { standing, isJudged, isMissed: isMissed(pod, standing, since) });
      if (!isLeft(pod, namespace, isSilent)) countStricter(census, pod, stricterHere);
    }
  }
  return census;
}

/** Where it will run, the agent gives it its values: its spec is no fault of anybody. No agent runs on Windows. */
function isForAgents({ pending, node, windows }: PodView, { anyAgent }: PlainFacts): boolean {
  return anyAgent && pending && node === undefined && !windows;
}

/** On a pod that is left as it is, nobody's values bind. */
function isLeft(pod: PodView, namespace: NamespaceView, isSilent: boolean): boolean {
  return (isSilent ? skipOf(pod, namespace) : agentSkipOf(pod)) !== undefined;
}

/** Whether `other` changes pods and asks for more than the policy where both select a pod. */
function isStricter(other: Policy, policy: EffectivePolicy): other is EffectivePolicy {
  return (
    other !== policy &&
    other.spec.mode === 'Enforce' &&
    other.effective !== undefined &&
    asksForMore(other.effective, policy.effective)
  );
}

/** Whether one policy alone asks for less than both together. */
function asksForMore(other: Effective, than: Effective): boolean {
  const given = (list: readonly Effective[]) => {
    const asked = together(list.map(requirementOf));
    return asked === undefined
      ? []
      : [asked.idleTimeoutSeconds, ...tripleKeys.map((key) => valuesFor(asked)[key])];
  };
  const alone = given([than]);
  return given([than, other]).some((value, at) => value < (alone[at] ?? Infinity));
}

type Standing = Skip | 'declared' | undefined;

/**
 * `undefined`: exposed. A pod of a node's own network, or of Windows, declares nothing, whatever the defaults of
 * Linux would be worth to another. A pod whose own values are good is counted as such, whatever else holds of it.
 */
function standingOf(pod: PodView, namespace: NamespaceView, effective: Effective): Standing {
  const ownKernel = !pod.hostNetwork && !pod.windows;
  if (ownKernel && pod.declared !== undefined && meets(pod.declared, requirementOf(effective)))
    return 'declared';
  return skipOf(pod, namespace);
}

/** A pod that admission saw bears its note, whatever became of its values. */
function isMissed(pod: PodView, standing: Standing, sinceMs: number | undefined): boolean {
  if (standing !== undefined || pod.declared === undefined || pod.noted) return false;
  return sinceMs !== undefined && pod.createdAtMs !== undefined && pod.createdAtMs > sinceMs;
}

interface Judgement {
  readonly standing: Standing;
  readonly isJudged: boolean;
  readonly isMissed: boolean;
}

function count(census: Census, pod: PodView, { standing, isJudged, isMissed }: Judgement): void {
  census.selected += 1;
  if (isJudged && pod.changedFrom !== undefined) census.changed.push(pod);
  if (pod.pending) census.pending += 1;
  if (pod.node !== undefined) countOn(census.nodes, pod.node, { pod, standing });
  if (standing === 'declared') {
    census.declared += 1;
    if (!pod.pending) census.started += 1;
  } else if (isMissed) {
    census.missed.push({ pod, isJudged });
  } else if (!isJudged) return;
  else if (standing === undefined) census.exposed.push(pod);
  else census.skipped.push({ pod, skip: standing });
}

function countOn(
  nodes: Census['nodes'],
  node: string,
  { pod, standing }: { readonly pod: PodView; readonly standing: Standing },
): void {
  const here = nodes.get(node) ?? { selected: 0, pending: 0, declared: 0 };
  here.selected += 1;
  if (pod.pending) here.pending += 1;
  if (standing === 'declared') here.declared += 1;
  nodes.set(node, here);
}

function countStricter({ stricter }: Census, pod: PodView, candidates: readonly EffectivePolicy[]): void {
  for (const other of candidates) {
    if (selectsPod(other, pod)) stricter.set(other, (stricter.get(other) ?? 0) + 1);
  }
}

function countsOf(census: Census, rollup: Rollup | undefined): PodCounts {
  const { selected, declared, pending, started, skipped } = census;
  const skips = [...skipped.map(({ skip }) => skip.reason), ...(rollup?.skips ?? [])];
  const skippedBy = countSkips(skips);
  const reporting = rollup !== undefined && rollup.nodes.reporting > 0;
  return {
    ...{ selected, declared: declared - (rollup?.unheeded ?? 0) },
    ...(reporting ? { live: rollup.live } : {}),
    ...(pending === 0 ? {} : { pending }),
    skipped: skips.length,
    ...(skippedBy.length === 0 ? {} : { skippedBy }),
    summary: `${reporting ? rollup.live : started}/${selected}`,
  };
}

/** What no value can help, then what is exposed, then pods left out, then what is merely stricter. */
function findingsOf(
  census: Census,
  policy: EffectivePolicy,
  {
    rollup,
    facts,
    silentIn,
  }: Pick<Surroundings, 'facts'> & {
    readonly rollup: Rollup | undefined;
    readonly silentIn: ReadonlyMap<string, Silence> | undefined;
  },
) {
  const { exposed, skipped, changed, missed, stricter } = census;
  const general = generalFindings(policy, facts);
  const listed = [
    ...general,
    ...[
      ...exposed.map((pod) => worded(exposedDraft(pod, policy, silentIn?.get(pod.namespace)))),
      ...missed.map((one) => worded(missedDraft(one, policy))),
      ...skipped.map(({ pod, skip }) => worded(skippedDraft(pod, skip, policy))),
      ...changed.map((pod) =>
        worded({
          ...ownValuesChanged(pod.changedFrom ?? '', pod.declared ?? {}),
          ...whereabouts(pod, policy),
        }),
      ),
      ...(rollup?.findings ?? []),
    ].sort(worstFirst),
    ...[...stricter]
      .map(([other, pods]) => stricterFinding(policy, { policy: other, pods }))
      .sort((a, b) => compareText(a.policy ?? '', b.policy ?? '')),
  ];
  return {
    findings: listed.slice(0, findingLimit),
    findingsTotal:
      general.length +
      exposed.length +
      missed.length +
      skipped.length +
      changed.length +
      (rollup?.findingsTotal ?? 0) +
      stricter.size,
  };
}
