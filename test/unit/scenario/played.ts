import type { Cell } from '../../scenario/cell.ts';
import { matrix } from '../../scenario/cell.ts';
import type { Phase, Result } from '../../scenario/result.ts';

export const alive = 'silent 12 s: alive';
export const lost = 'silent 12 s: ECONNRESET (104) Connection reset by peer';

/** A scenario with one connection of each cell: lost without the policy and alive with it unless told otherwise. */
export function played(words: Partial<Record<Phase, (cell: Cell) => string>> = {}): Result {
  const { without = () => lost, with: withPolicy = () => alive } = words;
  return {
    scenario: 'snat',
    story: 'A NAT that forgets.',
    path: [{ name: 'office-nat', type: 'NAT', idleTimeoutSeconds: 4 }],
    effective: {
      idleTimeoutSeconds: 4,
      limitedBy: 'office-nat',
      timeSeconds: 1,
      intervalSeconds: 1,
      probes: 3,
    },
    findings: [],
    checks: [],
    ways: [
      {
        name: 'through the NAT',
        expected: { without: ['ECONNRESET (104)'], with: 'alive' },
        connections: matrix.map((cell) => ({ cell, without: without(cell), with: withPolicy(cell) })),
      },
    ],
  };
}
