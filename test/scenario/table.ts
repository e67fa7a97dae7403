import type { Kind } from './cell.ts';
import { kindOf } from './cell.ts';
import type { Connection, Result, WayResult } from './result.ts';
import { byKind, isAlive } from './result.ts';

/** How many of a kind there were, and what became of them. */
export interface Row extends Kind {
  readonly connections: number;
  readonly diedWithout: number;
  readonly aliveWith: number;
}

/** One row a kind of connection, IPv4 and IPv6 together. */
export function rowsOf(connections: readonly Connection[]): Row[] {
  return byKind(connections).map(({ members }) => ({
    ...kindOf((members[0] as Connection).cell),
    connections: members.length,
    diedWithout: members.filter((one) => !isAlive(one.without)).length,
    aliveWith: members.filter((one) => isAlive(one.with)).length,
  }));
}

export function table(result: Result): string {
  return result.ways.map((way) => tableOf(result.scenario, way)).join('\n\n');
}

function tableOf(scenario: string, { name, connections }: WayResult): string {
  const rows = rowsOf(connections).map((row) => [
    ...[row.pod, row.network, row.opened, row.program],
    `${row.diedWithout} of ${row.connections}`,
    `${row.aliveWith} of ${row.connections}`,
  ]);
  const lines = [['', '', '', '', 'died without', 'alive with'], ...rows];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]) =>
    line
      .map((text, column) => text.padEnd(widths?.[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [`${scenario}: ${name}`, ...lines.map((line) => `  ${format(line)}`)].join('\n');
}
