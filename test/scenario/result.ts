import type { Hop } from '../../src/api/hop.ts';
import type { Effective, Finding } from '../../src/api/status.ts';
import type { Cell } from './cell.ts';
import { kindOf } from './cell.ts';

/** What becomes of a connection: it lives, or meets one of these errors. */
export type Fate = 'alive' | readonly string[];

/** What was seen of all, and on what. */
export interface Proof {
  readonly kubernetes: string;
  readonly kernel: string;
  readonly scenarios: readonly Result[];
}

/** What was seen of one scenario. */
export interface Result {
  readonly scenario: string;
  readonly story: string;
  readonly path: readonly Hop[];
  /** What the policy's status said. */
  readonly effective: Effective | undefined;
  readonly findings: readonly Finding[];
  readonly checks: readonly Check[];
  readonly ways: readonly WayResult[];
  readonly advice?: string | undefined;
}

export interface WayResult {
  readonly name: string;
  readonly expected: Readonly<Record<Phase, Fate>>;
  readonly connections: readonly Connection[];
}

/** One connection's last words, without the policy and with it. */
export interface Connection {
  readonly cell: Cell;
  readonly without: string;
  readonly with: string;
}

/** Something that has to hold besides the connections. */
export interface Check {
  readonly what: string;
  readonly held: boolean;
  /** What was seen instead, or in proof. */
  readonly seen: string;
}

/** The same connections are tried twice. */
export const phases = ['without', 'with'] as const;
export type Phase = (typeof phases)[number];

export function isAlive(words: string): boolean {
  return /^silent .*: alive$/.test(words);
}

/** A connection that fell before it was silent, or never stood, meets no fate that anyone expects. */
export function meets(fate: Fate, words: string): boolean {
  if (fate === 'alive') return isAlive(words);
  return words.startsWith('silent ') && fate.some((error) => words.includes(error));
}

/** What did not go as it should; empty where the scenario holds. */
export function shortcomings({ ways, checks }: Result): string[] {
  return [
    ...ways.flatMap((way) => phases.flatMap((phase) => unmet(way, phase))),
    ...checks.filter(({ held }) => !held).map(({ what, seen }) => `${what}: no, ${seen}`),
  ];
}

/** One line a kind of connection. */
function unmet({ name, expected, connections }: WayResult, phase: Phase): string[] {
  if (connections.length === 0) return [`${name}: no connection was tried`];
  const fate = expected[phase];
  return byKind(connections).flatMap(({ kind, members }) => {
    const failed = members.map((one) => one[phase]).filter((words) => !meets(fate, words));
    const said = tally(failed).map(([words]) => `"${words}"`);
    return failed.length === 0
      ? []
      : [
          `${name}, ${phase} the policy, ${kind}: ${failed.length} of ${members.length} should have been ` +
            `${describeFate(fate)}, and said ${said.join(', ')}`,
        ];
  });
}

export function byKind(
  connections: readonly Connection[],
): { readonly kind: string; readonly members: readonly Connection[] }[] {
  const kinds = Map.groupBy(connections, ({ cell }) => kindOf(cell).join(', '));
  return [...kinds].map(([kind, members]) => ({ kind, members }));
}

export function describeFate(fate: Fate): string {
  return fate === 'alive' ? 'alive' : `lost with ${fate.map((error) => `"${error}"`).join(' or ')}`;
}

/** The different last words and how often each was said, the most frequent first. */
export function tally(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const one of words) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}
