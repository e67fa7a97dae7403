import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import { selectsNode } from '../policy/selection.ts';
import { describePolicy } from '../policy/policy.ts';
import { valueOr } from './cluster.ts';
import type { NodeFacts } from './explain-facts.ts';
import { reachStatement } from './explain-connections.ts';
import type { Selecting } from './explain-policies.ts';
import { askedOf, matchesOf, policyStatements, selectingOf } from './explain-policies.ts';
import { reportOn } from './explain-report.ts';
import type { Explanation, Standing, Statement } from './explanation.ts';
import { valuesText } from './status-output.ts';
import { fine, note, todoOf, unknown, wrong } from './explanation.ts';

/** The same of the own network of a node. */
export function explainNode(facts: NodeFacts): Explanation {
  const { name, node, report, cluster, settings } = facts;
  const records = valueOr(cluster, []);
  const labels = node.known ? node.value : undefined;
  const selects = (policy: Parameters<typeof selectsNode>[0]) =>
    labels !== undefined && selectsNode(policy, labels);
  const selecting = selectingOf({ records, settings, selects });
  const asked = askedOf(selecting);
  const told = report.known ? report.value : undefined;
  const unseen = node.known ? [] : [unknown(`which cluster policies select it: ${node.why}`)];
  const kernel = told === undefined ? [nothingTold(facts)] : kernelOf(told, selecting, name);
  const parts = {
    policies: [...policyStatements(selecting, { records, cluster, settings }), ...unseen],
    kernel,
    connections: told === undefined ? [] : reachStatement(told, name),
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
  const has = (is: Statement['is']) => statements.some((one) => one.is === is);
  if (has('wrong')) return 'NotCovered';
  if (has('unknown')) return 'Unknown';
  return isSelected ? 'Covered' : 'Unselected';
}

function nothingTold({ name, report }: NodeFacts): Statement {
  return unknown(
    report.known
      ? `what its kernel holds: ${name} has no NodeKeepalive, so no agent reports from there (\`keepalive doctor\` tells why)`
      : `what its kernel holds: ${report.why}`,
  );
}

function kernelOf(report: NodeKeepaliveStatus, selecting: readonly Selecting[], name: string): Statement[] {
  const { host, trackers = [], kubeProxy } = report;
  return [
    ...(host === undefined
      ? [unknown('what its own network holds: its report does not say')]
      : hostStatements(host)),
    ...selecting.flatMap((one) => standingTo(one, report, name)),
    ...trackers.map(({ type, idleTimeoutSeconds, source }) =>
      note(`it forgets silent connections itself after ${idleTimeoutSeconds} s (${type}, ${source})`),
    ),
    ...(kubeProxy === undefined ? [] : [note(`its kube-proxy runs in mode ${kubeProxy.mode}`)]),
  ];
}

type Host = NonNullable<NodeKeepaliveStatus['host']>;

function hostStatements({ now, found, repaired = 0 }: Host): Statement[] {
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

function standingTo(one: Selecting, report: NodeKeepaliveStatus, name: string): Statement[] {
  const told = reportOn(one, report, name);
  if ('is' in told) return [told];
  const policy = describePolicy(one.policy);
  const own = (told.findings ?? []).filter(({ pod }) => pod === undefined);
  if (told.host === 'Live')
    return [
      fine(`that is enough for ${policy}`),
      ...own.map(({ reason, message }) => note(`${reason}: ${message}`)),
    ];
  return own.length === 0
    ? [unknown(`whether that is enough for ${policy}: its report does not say`)]
    : own.map(({ reason, message }) => wrong(`${policy}: ${reason}: ${message}`, `${reason}: ${message}`));
}
