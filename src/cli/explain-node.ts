import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import { selectsNode } from '../policy/selection.ts';
import { valueOr } from './cluster.ts';
import type { NodeFacts } from './explain-facts.ts';
import { connectionsOfNode } from './explain-connections.ts';
import { hostStatements } from './explain-kernel.ts';
import type { Selecting } from './explain-policies.ts';
import { askedOf, matchesOf, policyStatements, selectingOf } from './explain-policies.ts';
import { reportOn, reportOr } from './explain-report.ts';
import type { Explanation, Standing, Statement } from './explanation.ts';
import { valuesText } from './status-output.ts';
import { has, note, todoOf, unknown } from './explanation.ts';

/** The same of the own network of a node. */
export function explainNode(facts: NodeFacts): Explanation {
  const { name, node, cluster, settings } = facts;
  const records = valueOr(cluster, []);
  const labels = node.known ? node.value : undefined;
  const selects = (policy: Parameters<typeof selectsNode>[0]) =>
    labels !== undefined && selectsNode(policy, labels);
  const selecting = selectingOf({ records, settings, selects });
  const asked = askedOf(selecting);
  const report = reportOr(facts);
  const unseen = node.known ? [] : [unknown(`which cluster policies select it: ${node.why}`)];
  const parts = {
    policies: [...policyStatements(selecting, { records, cluster, settings }), ...unseen],
    kernel: 'is' in report ? [report] : kernelOf(report, selecting, name),
    connections: 'is' in report ? [] : connectionsOfNode({ node: name, report }, selecting),
  };
  const all = Object.values(parts).flat();
  return {
    about: `node ${name}`,
    standing: standingOf(selecting.length > 0, all),
    selectedBy: matchesOf(selecting),
    ...(asked === undefined ? {} : { asked }),
    parts,
    todo: todoOf(all),
  };
}

function standingOf(isSelected: boolean, statements: readonly Statement[]): Standing {
  if (has(statements, 'wrong')) return 'NotCovered';
  if (has(statements, 'unknown')) return 'Unknown';
  return isSelected ? 'Covered' : 'Unselected';
}

function kernelOf(report: NodeKeepaliveStatus, selecting: readonly Selecting[], name: string): Statement[] {
  const { host, trackers = [], kubeProxy } = report;
  return [
    ...(host === undefined
      ? [unknown('what its own network holds: its report does not say')]
      : valueStatements(host)),
    ...selecting.flatMap((one) => {
      const told = reportOn(one, report, name);
      return 'is' in told ? [told] : hostStatements(told, one, name);
    }),
    ...trackers.map(({ type, idleTimeoutSeconds, source }) =>
      note(`it forgets silent connections itself after ${idleTimeoutSeconds} s (${type}, ${source})`),
    ),
    ...(kubeProxy === undefined ? [] : [note(`its kube-proxy runs in mode ${kubeProxy.mode}`)]),
  ];
}

type Host = NonNullable<NodeKeepaliveStatus['host']>;

function valueStatements({ now, found, repaired = 0 }: Host): Statement[] {
  return [
    note(`its own network holds ${valuesText(now)}`),
    ...(found === undefined
      ? []
      : [note(`it was found with ${valuesText(found)}, which it gets back when no policy asks any more`)]),
    ...(repaired === 0
      ? []
      : [note(`values were put right ${repaired} times after something else had made them looser`)]),
  ];
}
