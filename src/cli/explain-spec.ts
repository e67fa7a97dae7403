import { Census } from '../policy/census.ts';
import type { Silence } from '../policy/finding.ts';
import { worded } from '../policy/finding.ts';
import { describePolicy } from '../policy/policy.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { withheldOf } from '../policy/withholding.ts';
import type { PodFacts } from './explain-facts.ts';
import type { Selecting } from './explain-policies.ts';
import { judged } from './explain-report.ts';
import { selectsByLabels } from './explain-selection.ts';
import type { Statement } from './explanation.ts';

/** What its spec alone tells, as the controller takes it where no agent reports from its node: that of a good one proves nothing. */
export function bySpec(facts: PodFacts, selecting: readonly Selecting[]): Statement[] {
  const { pod, namespace } = facts;
  const view = namespace.known ? namespace.value : { name: pod.namespace, labels: {} };
  const ofItself = selecting.filter(({ policy }) => selectsByLabels(policy, facts));
  return ofItself.flatMap(({ record, policy }) => {
    const silence = silenceIn(record, facts);
    // From when on it was in force changes the words alone.
    const basis = { namespace: view, sinceMs: undefined };
    const drafts = new Census(policy).draftsOf(pod, basis, { policy, isJudged: true, silence });
    return drafts.map((draft) => judged(worded(draft), describePolicy(policy)));
  });
}

function silenceIn({ status }: PolicyRecord, { pod, unaskedIn }: PodFacts): Silence | undefined {
  if (unaskedIn.includes(pod.namespace)) return 'NotAsked';
  const isRefused = withheldOf(status.refusals ?? []).some(({ namespace }) => namespace === pod.namespace);
  return isRefused ? 'Refused' : undefined;
}
