import { describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { believable } from '../../../src/policy/believable.ts';

const report = (rest: Partial<NodePolicyReport>): NodePolicyReport => ({
  ...{ kind: 'KeepalivePolicy', namespace: 'db', name: 'team', observedGeneration: 1, selected: 1, live: 1 },
  ...rest,
});

describe('what a node says of a policy', () => {
  test('is taken as it is where it fits together', () => {
    const right = report({
      connections: { established: 3, protected: 1, exposed: 1, unknown: 1 },
      ...{ findings: [{ reason: 'NotLive', pod: 'a', message: 'why' }], findingsTotal: 30 },
    });
    expect(believable(right)).toEqual(right);
  });

  test('covers no more pods than it selects, and no connection of which nothing is said', () => {
    const connections = { established: 9, protected: 0, exposed: 0, unknown: 0 };
    expect(believable(report({ live: 5, selected: 0, connections }))).toMatchObject({
      live: 0,
      connections: { ...connections, unknown: 9 },
    });
  });

  test('has an end, counts what it shows, and moves no cursor', () => {
    const finding = { reason: 'NotLive', pod: 'a', message: '\u001b[2J\u202eOK '.repeat(9000) };
    const { findings = [], findingsTotal } = believable(
      report({ findings: Array.from({ length: 99 }, () => finding) }),
    );
    expect([findings.length, findingsTotal]).toEqual([20, 20]);
    expect(findings[0]?.message).toHaveLength(1024);
    expect(findings[0]?.message).not.toMatch(/\p{C}/u);
  });
});
