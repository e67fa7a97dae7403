import type { Cell } from './cell.ts';
import { families, kindOf } from './cell.ts';
import type { Connection, Result, WayResult } from './result.ts';
import { byKind, isAlive } from './result.ts';

/** A kind of connection: how many there were, and what became of them. */
interface Row {
  /** Any of its members. */
  readonly cell: Cell;
  /** As `3 of 3`, for IPv4 and IPv6; empty where none was tried. */
  readonly diedWithout: readonly string[];
  readonly aliveWith: readonly string[];
}

export function rowsOf(connections: readonly Connection[]): Row[] {
  return byKind(connections).map(({ members }) => ({
    cell: (members[0] as Connection).cell,
    diedWithout: perFamily(members, (one) => !isAlive(one.without)),
    aliveWith: perFamily(members, (one) => isAlive(one.with)),
  }));
}

function perFamily(members: readonly Connection[], counts: (one: Connection) => boolean): string[] {
  const of = (family: Cell['family']) => members.filter(({ cell }) => cell.family === family);
  return families
    .map(of)
    .map((some) => (some.length === 0 ? '' : `${some.filter(counts).length} of ${some.length}`));
}

/** For people, in a terminal. */
export function table({ scenario, ways }: Result): string {
  return ways.map((way) => tableOf(scenario, way)).join('\n\n');
}

function tableOf(scenario: string, { name, connections }: WayResult): string {
  const rows = rowsOf(connections).map(({ cell, diedWithout, aliveWith }) => [
    ...kindOf(cell),
    ...[...diedWithout, ...aliveWith],
  ]);
  const head = [
    ['', '', '', '', 'died without', '', 'alive with', ''],
    ['', '', '', '', ...families, ...families],
  ];
  const lines = [...head, ...rows];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]) =>
    line
      .map((text, column) => text.padEnd(widths?.[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [`${scenario}: ${name}`, ...lines.map((line) => `  ${format(line)}`)].join('\n');
}
