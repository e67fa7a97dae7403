import type { ConnectionTotals, Finding } from '../api/status.ts';
import { shorthand, tripleKeys } from '../api/triple.ts';
import { rankOf } from '../policy/finding.ts';
import { printable } from './printable.ts';
import { numbered } from './remark-output.ts';
import type { Board, NodeLine, PolicyLine, Wrong } from './status-board.ts';
import { conditionOf, reachOf } from './status-board.ts';
import type { Cell } from './table.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

type Writer = (board: Board, style: Terminal['style']) => string;

/** What `status --output` can write, by its name. */
export const statusWriters = {
  text: (board, style) => text(printable(board), style),
  json: (board) => `${JSON.stringify(board, undefined, 2)}\n`,
} as const satisfies Readonly<Record<string, Writer>>;

export type StatusFormat = keyof typeof statusWriters;

function text({ wrong, policies, nodes, unknown }: Board, style: Terminal['style']): string {
  const parts = [
    wrongList(wrong, style),
    policies.length === 0 ? 'There is no policy yet: docs/README.md of the project has the first one.\n' : '',
    policyTable(policies, style),
    findingList(policies, style),
    table(['NODE', 'AGENT', 'CONNECTIONS', 'PODS', 'OWN VALUES'], nodes.map(nodeRow), style),
    unknown.map((one) => `${style('yellow', 'unknown:')} ${one}\n`).join(''),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function wrongList(wrong: readonly Wrong[], style: Terminal['style']): string {
  if (wrong.length === 0) return `${style('green', 'Nothing is wrong.')}\n`;
  const head = wrong.length === 1 ? 'One thing is wrong' : `${wrong.length} things are wrong`;
  const lines = wrong.map(
    ({ about, reason, message }) => `  ${style('red', about)}: ${reason}: ${message}\n`,
  );
  return `${style('bold', head)}\n${lines.join('')}`;
}

function policyTable(policies: readonly PolicyLine[], style: Terminal['style']): string {
  const head = ['POLICY', 'BEHIND', 'VALUES', 'MODE', 'PODS', 'CONNECTIONS', 'READY', 'COVERED'];
  const anyHosts = policies.some(({ hosts }) => hosts !== undefined);
  if (anyHosts) head.splice(5, 0, 'HOSTS');
  const rows = policies.map((line) => {
    const row = policyRow(line);
    if (anyHosts) row.splice(5, 0, line.hosts?.summary ?? '-');
    return row;
  });
  return table(head, rows, style);
}

/** `db/behind-the-nat`; a cluster policy is of no namespace. */
function nameOf({ namespace, name }: PolicyLine): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function policyRow(line: PolicyLine): Cell[] {
  const { effective, mode = '?', pods, connections } = line;
  return [
    nameOf(line),
    effective === undefined ? '-' : `${effective.idleTimeoutSeconds} s (${effective.limitedBy})`,
    effective === undefined ? '-' : shorthand(effective),
    mode,
    pods?.summary ?? '-',
    connections === undefined ? '-' : connectionsOf(connections),
    conditionCell(line, 'Ready'),
    conditionCell(line, 'Covered'),
  ];
}

const colors = { True: 'green', False: 'red', Unknown: 'yellow' } as const;

function conditionCell(line: PolicyLine, type: 'Ready' | 'Covered'): Cell {
  const condition = conditionOf(line, type);
  return condition === undefined ? '-' : { text: condition.status, style: colors[condition.status] };
}

export function connectionsOf(totals: ConnectionTotals): string {
  const { exposed, unknown = 0 } = totals;
  const others = Object.entries({ exposed, unknown }).filter(([, count]) => count > 0);
  return [`${totals.protected} protected`, ...others.map(([what, count]) => `${count} ${what}`)].join(', ');
}

const findingsShown = 3;

/** The worst of each policy. */
function findingList(policies: readonly PolicyLine[], style: Terminal['style']): string {
  return policies
    .map((line) => {
      const worst = [...line.findings]
        .sort((a, b) => rankOf(a.reason) - rankOf(b.reason))
        .slice(0, findingsShown);
      if (worst.length === 0) return '';
      const rest = line.findingsTotal - worst.length;
      const more = rest > 0 ? [`and ${numbered(rest, 'more finding')}: ${describeCommand(line)}`] : [];
      const lines = [...worst.map((finding) => findingLine(finding, style)), ...more];
      return `${style('bold', nameOf(line))}\n${lines.map((one) => `  ${one}\n`).join('')}`;
    })
    .join('');
}

function describeCommand({ kind, namespace, name }: PolicyLine): string {
  return kind === 'KeepalivePolicy'
    ? `kubectl describe kap -n ${namespace} ${name}`
    : `kubectl describe ckap ${name}`;
}

/** `ExposedConnections of pod db/mongo-0 on n1: …` */
export function findingLine(finding: Finding, style: Terminal['style']): string {
  const { reason, message, namespace, pod, node, hop } = finding;
  const where = [
    ...(pod === undefined ? [] : [`pod ${namespace === undefined ? '' : `${namespace}/`}${pod}`]),
    ...(node === undefined ? [] : [`node ${node}`]),
    ...(hop === undefined ? [] : [`hop ${hop}`]),
  ];
  return `${style('yellow', reason)}${where.length === 0 ? '' : ` (${where.join(', ')})`}: ${message}`;
}

const agentWords: Readonly<Record<NodeLine['agent'], Cell>> = {
  Reporting: '',
  Silent: { text: 'silent', style: 'red' },
  NotReady: { text: 'not ready', style: 'red' },
  Missing: { text: 'missing', style: 'red' },
  NotMeant: 'not meant',
  Unknown: { text: 'unknown', style: 'yellow' },
};

function nodeRow({ name, agent, report }: NodeLine): Cell[] {
  if (report === undefined) return [name, agentWords[agent], '-', '-', '-'];
  const { agentVersion = '-', connections, pods, host } = report;
  return [
    name,
    agent === 'Reporting' ? agentVersion : agentWords[agent],
    connections === undefined ? '-' : reachOf(connections),
    pods?.summary ?? '-',
    host === undefined ? '-' : valuesText(host.now),
  ];
}

type Values = NonNullable<NonNullable<NodeLine['report']>['host']>['now'];

export function valuesText(values: Values): string {
  return tripleKeys.map((key) => values[key] ?? '-').join('/');
}
