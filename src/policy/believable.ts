import type { NodePolicyReport } from '../api/node-keepalive.ts';
import type { ConnectionTotals, Finding } from '../api/status.ts';
import { findingLimit } from '../api/status.ts';
import { oneLine, shortened } from './words.ts';

const longestName = 253;
const longestMessage = 1024;

/**
 * Of what a node says of a policy, what may stand in the policy's own status, beside the word of all other nodes: numbers
 * that do not fit together are taken for the worse, and texts and lists have an end.
 */
export function believable(report: NodePolicyReport): NodePolicyReport {
  const { selected, live, findings, findingsTotal = 0, connections } = report;
  return {
    ...report,
    live: Math.min(live, selected),
    ...(connections === undefined ? {} : { connections: accountedFor(connections) }),
    ...(findings === undefined
      ? {}
      : {
          findings: findings.slice(0, findingLimit).map(printable),
          findingsTotal: Math.max(findingsTotal, Math.min(findings.length, findingLimit)),
        }),
  };
}

/** A connection of which nothing is said is one of which nobody knows. */
function accountedFor(totals: ConnectionTotals): ConnectionTotals {
  const { established, exposed, protected: safe, unknown = 0 } = totals;
  const rest = established - safe - exposed;
  return rest <= unknown ? totals : { ...totals, unknown: rest };
}

function printable(finding: Finding): Finding {
  const { reason, message, ...names } = finding;
  const said = (text: string, longest: number) => shortened(oneLine(text), longest);
  return {
    ...Object.fromEntries(
      Object.entries(names).map(([field, text]) => [field, said(String(text), longestName)]),
    ),
    reason: said(reason, longestName),
    message: said(message, longestMessage),
  };
}
