import type { Coverage } from '../api/condition.ts';
import type {
  ConnectionTotals,
  Finding,
  HostCounts,
  NodeCounts,
  PodCounts,
  SkippedBy,
} from '../api/status.ts';
import { findingLimit, skipReasons } from '../api/status.ts';
import type { Census } from './census.ts';
import { noPlace, ranksOf, waitingPlace } from './census.ts';
import { coverageOf } from './coverage.ts';
import type { Draft, Silence } from './finding.ts';
import { compareText, generalFindings, stricterFinding, worded, worstFirst } from './finding.ts';
import type { Basis } from './judgement.ts';
import type { PodView } from './pod.ts';
import type { EffectivePolicy } from './policy.ts';
import type { Edition } from './policy-digest.ts';
import type { Rival } from './rival.ts';
import type { NodeFacts, Rollup } from './rollup.ts';
import { bySpecs, rollUp } from './rollup.ts';
import { Worst, worstOf } from './worst.ts';

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

/** What was counted of one policy, and where the words are that go with it. */
export interface Counted {
  readonly census: Census;
  readonly rivals: readonly Rival[];
  /** Pods of a place, selected or not, as they were counted. */
  podsAt(place: string): Iterable<{ readonly pod: PodView; readonly basis: Basis }>;
  /** What the agent of a node told last of pods; only to be asked where it told of any. */
  toldOn(node: string): readonly Finding[];
}

/** All that an assessment depends on. */
export interface Surroundings {
  readonly edition: Edition;
  readonly counted: Counted;
  readonly facts: NodeFacts;
  /** Namespaces in which admission leaves new pods as they are. */
  readonly silentIn?: ReadonlyMap<string, Silence>;
}

/** What specs say of those places where nobody else can tell. */
interface BySpecs {
  readonly uncovered: number;
  readonly findings: number;
  readonly skips: readonly number[];
}

/** What can be said of a policy from the pods and nodes that it selects, beside all other policies. */
export function assess(policy: EffectivePolicy, surroundings: Surroundings): Assessment {
  const { edition, facts, counted } = surroundings;
  const { census } = counted;
  const worst = new Worst();
  const specs = bySpecsOf(census, facts, worst);
  const rollup = facts.anyAgent ? rollUp(policy, edition, { facts, census, worst }) : undefined;
  const pods = countsOf(census, specs, rollup);
  const told = findingsOf(policy, { specs, rollup, worst }, surroundings);
  const { nodes, hosts, connections, awaited = [] } = rollup ?? {};
  const known = rollup?.known ?? bySpecs(specs.uncovered);
  const coverage = coverageOf({ pods, hosts, connections, known, rollup, findings: told.findings });
  return { pods, nodes, hosts, connections, awaited, ...told, coverage };
}

/**
 * Whether specs are all there is to go by. Where a pod that waits will run, the agent gives it its values: its spec is no
 * fault of anybody.
 */
function isJudgedBySpecs(place: string, facts: NodeFacts): boolean {
  if (place === waitingPlace) return !facts.anyAgent;
  return place === noPlace || !facts.isReporting(place);
}

function bySpecsOf(census: Census, facts: NodeFacts, worst: Worst): BySpecs {
  const skips = skipReasons.map(() => 0);
  const hasMissed = census.total('missed') > 0;
  let [uncovered, findings] = [0, census.total('missed')];
  for (const place of census.places()) {
    const isJudged = isJudgedBySpecs(place, facts);
    if (!isJudged && !hasMissed) continue;
    const tally = census.tallyOf(place);
    worst.note(place === waitingPlace ? noPlace : place, ranksOf(tally, isJudged));
    if (!isJudged) continue;
    const skipped = total(tally.skips);
    uncovered += tally.exposed + tally.missed + skipped;
    findings += tally.exposed + tally.changed + skipped;
    tally.skips.forEach((count, index) => (skips[index] = (skips[index] ?? 0) + count));
  }
  return { uncovered, findings, skips };
}

function countsOf(census: Census, { skips }: BySpecs, rollup: Rollup | undefined): PodCounts {
  const selected = census.total('selected');
  const pending = census.total('pending');
  const skippedBy: SkippedBy = skipReasons
    .map((reason, index) => ({ reason, count: (skips[index] ?? 0) + (rollup?.skips[index] ?? 0) }))
    .filter(({ count }) => count > 0);
  const reporting = rollup !== undefined && rollup.nodes.reporting > 0;
  return {
    ...{ selected, declared: census.total('declared') - (rollup?.unheeded ?? 0) },
    ...(reporting ? { live: rollup.live } : {}),
    ...(pending === 0 ? {} : { pending }),
    skipped: total(skippedBy.map(({ count }) => count)),
    ...(skippedBy.length === 0 ? {} : { skippedBy }),
    summary: `${reporting ? rollup.live : census.total('started')}/${selected}`,
  };
}

/** What no value can help, then what is exposed, then pods left out, then what is merely stricter. */
function findingsOf(
  policy: EffectivePolicy,
  { specs, rollup, worst }: { specs: BySpecs; rollup: Rollup | undefined; worst: Worst },
  surroundings: Surroundings,
): Pick<Assessment, 'findings' | 'findingsTotal'> {
  const { facts, counted } = surroundings;
  const general = generalFindings(policy, facts);
  const ofPods = worst.list((place) => podFindingsAt(place, policy, surroundings));
  const listed = [
    ...general,
    ...[...ofPods, ...(rollup?.findings ?? [])].sort(worstFirst),
    ...counted.rivals
      .map((rival) => stricterFinding(policy, rival))
      .sort((a, b) => compareText(a.policy ?? '', b.policy ?? '')),
  ];
  return {
    findings: listed.slice(0, findingLimit),
    findingsTotal: general.length + specs.findings + (rollup?.findingsTotal ?? 0) + counted.rivals.length,
  };
}

function podFindingsAt(place: string, policy: EffectivePolicy, surroundings: Surroundings): Finding[] {
  if (place === noPlace)
    return [noPlace, waitingPlace].flatMap((one) => bySpecsAt(one, policy, surroundings));
  const { facts, counted } = surroundings;
  // Where it has nothing to tell of pods, no words are kept, and they would be read at each look.
  const isTold = facts.isReporting(place) && (facts.reportOf(place)?.ranks ?? 0) !== 0;
  return [...(isTold ? counted.toldOn(place) : []), ...bySpecsAt(place, policy, surroundings)];
}

function bySpecsAt(
  place: string,
  policy: EffectivePolicy,
  { facts, counted, silentIn }: Surroundings,
): Finding[] {
  const { census } = counted;
  const isJudged = isJudgedBySpecs(place, facts);
  if (ranksOf(census.tallyOf(place), isJudged) === 0) return [];
  function* drafts(): Generator<Draft> {
    for (const { pod, basis } of counted.podsAt(place)) {
      const silence = silentIn?.get(pod.namespace);
      yield* census.draftsOf(pod, basis, { policy, isJudged, silence });
    }
  }
  // As many pods as a tenant likes may wait for a node, or name the same one.
  return worstOf(drafts()).map(worded);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
