import { namespaceSelectorOf } from '../policy/policy.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { requirementOf, together } from '../policy/requirement.ts';
import { valueOr } from './cluster.ts';
import { creationStatements } from './explain-creation.ts';
import type { PodFacts } from './explain-facts.ts';
import { connectionsOfPod } from './explain-connections.ts';
import { kernelStatements } from './explain-kernel.ts';
import { askedOf, matchesOf, policyStatements, selectingOf } from './explain-policies.ts';
import { isFor } from './explain-selection.ts';
import type { Explanation, Standing, Statement } from './explanation.ts';
import { has, todoOf, unknown } from './explanation.ts';

/** Which policies are for a pod, what they ask, and what became of it. */
export function explainPod(facts: PodFacts): Explanation {
  const { pod, namespaced, cluster, settings, node } = facts;
  const records = [...namespaced, ...valueOr(cluster, [])];
  const selecting = selectingOf({ records, settings, selects: (policy) => isFor(policy, facts) });
  const acting = selecting.filter(({ inactive }) => inactive === undefined);
  const requirement = together(acting.map(({ policy }) => requirementOf(policy.effective)));
  const asked = askedOf(selecting);
  const told = {
    policies: [...policyStatements(selecting, { records, cluster, settings }), ...unseen(facts, records)],
    creation: creationStatements(facts, selecting, requirement),
    kernel: selecting.length === 0 ? [] : kernelStatements(facts, selecting),
    connections: connectionsOfPod(facts, selecting),
  };
  const standing = standingOf(selecting.length > 0, told);
  const parts =
    standing === 'NotCovered' ? told : { ...told, creation: told.creation.map(withoutConsequence) };
  return {
    about: `pod ${pod.namespace}/${pod.name}`,
    ...(node === undefined ? {} : { node: node.name }),
    standing,
    selectedBy: matchesOf(selecting),
    ...(asked === undefined ? {} : { asked }),
    parts,
    todo: todoOf(Object.values(parts).flat()),
  };
}

type Parts = Readonly<Required<Explanation['parts']>>;

/** As the condition Covered is told: what admission did or did not do counts by what came of it. */
function standingOf(isSelected: boolean, { policies, kernel, connections }: Parts): Standing {
  const now = [...policies, ...kernel, ...connections];
  if (!isSelected) return has(now, 'unknown') ? 'Unknown' : 'Unselected';
  if (has(now, 'wrong')) return 'NotCovered';
  return has(now, 'unknown') || !has(kernel, 'fine') ? 'Unknown' : 'Covered';
}

/** Whoever reads the exit code finds something wrong where it is 1, and only there; the advice stays. */
function withoutConsequence(statement: Statement): Statement {
  return statement.is === 'wrong' ? { ...statement, is: 'note' } : statement;
}

/** Whether a policy is for it depends on labels that could not be read. */
function unseen({ pod, namespace, node }: PodFacts, records: readonly PolicyRecord[]): Statement[] {
  const policies = records.flatMap(({ policy }) => policy ?? []);
  const byNamespace = policies.some((policy) => namespaceSelectorOf(policy) !== undefined);
  const byNode = pod.hostNetwork && policies.some(({ spec }) => 'nodes' in spec && spec.nodes !== undefined);
  return [
    ...(byNamespace && !namespace.known
      ? [unknown(`whether cluster policies select its namespace, by labels: ${namespace.why}`)]
      : []),
    ...(byNode && node?.node.known === false
      ? [unknown(`whether cluster policies select its node, by labels: ${node.node.why}`)]
      : []),
  ];
}
