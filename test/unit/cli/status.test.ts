import { describe, expect, test } from '@jest/globals';

import type { Condition, PolicyStatus } from '../../../src/api/status.ts';
import { known } from '../../../src/cli/cluster.ts';
import type { Board } from '../../../src/cli/status-board.ts';
import { boardOf } from '../../../src/cli/status-board.ts';
import type { NodeReport, StatusFacts } from '../../../src/cli/status-facts.ts';
import { statusWriters } from '../../../src/cli/status-output.ts';
import { daemonSetRecord } from '../../../src/policy/daemonset.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import { nat } from '../../support/builder.ts';

const condition = (
  type: Condition['type'],
  status: Condition['status'],
  reason: string,
  message = `in the words of ${reason}`,
): Condition => ({
  ...{ type, status, reason, message, observedGeneration: 1 },
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const ready = condition('Ready', 'True', 'Enforced');
const covered = condition('Covered', 'True', 'Covered');

function policy(name: string, status: PolicyStatus, generation = 1): PolicyRecord {
  const metadata = { name, namespace: 'db', uid: name, generation };
  const spec = { podSelector: {}, path: nat(90) };
  return policyRecord('KeepalivePolicy', { metadata, spec, status: { observedGeneration: 1, ...status } });
}

const labels = { 'app.kubernetes.io/name': 'keepalive-operator', 'app.kubernetes.io/component': 'agent' };
const agentSet = daemonSetRecord({
  metadata: { name: 'keepalive-agent', namespace: 'keepalive-agent', uid: 'ds' },
  spec: { template: { metadata: { labels }, spec: { nodeSelector: { 'kubernetes.io/os': 'linux' } } } },
});
const linux = { 'kubernetes.io/os': 'linux' };
const agentOn = (node: string, isReady = true) => ({
  ...{ uid: `agent-${node}`, namespace: 'keepalive-agent', name: `agent-${node}`, node, isReady },
});
const reportOf = (node: string, extra: Partial<NodeReport> = {}): NodeReport => ({
  ...{ uid: node, node, agentVersion: '0.1.0', host: undefined, pods: undefined },
  connections: { by: 'BPF', countedBy: 'BPF' },
  ...extra,
});

const fine: StatusFacts = {
  namespaced: [policy('fine', { conditions: [ready, covered] })],
  cluster: known([]),
  nodes: known([{ name: 'n1', labels: linux }]),
  reports: known([reportOf('n1')]),
  agents: known([agentOn('n1')]),
  agentSets: known([agentSet]),
};
const facts = (extra: Partial<StatusFacts>) => ({ ...fine, ...extra });
const text = (board: Board) => statusWriters.text(board, (_how, words) => words);

describe('what is wrong', () => {
  test('is nothing where policies are ready and covered and every node reports', () => {
    const board = boardOf(fine);
    expect(board).toMatchObject({ wrong: [], unknown: [] });
    expect(text(board)).toMatch(/^Nothing is wrong\.\n\nPOLICY/);
  });

  const stalled = condition('Stalled', 'True', 'BeyondLimits');
  test.each<[string, Partial<StatusFacts>, string[]]>([
    [
      'a policy that waits for a person',
      {
        namespaced: [
          policy('a', { conditions: [condition('Ready', 'False', 'BeyondLimits'), covered, stalled] }),
        ],
      },
      ['KeepalivePolicy db/a: BeyondLimits'],
    ],
    [
      'a policy that something is under way with',
      { namespaced: [policy('a', { conditions: [condition('Ready', 'False', 'Activating'), covered] })] },
      ['KeepalivePolicy db/a: Activating'],
    ],
    [
      'a policy whose controller was taken away',
      { namespaced: [policy('a', { conditions: [condition('Ready', 'Unknown', 'OperatorRemoved')] })] },
      ['KeepalivePolicy db/a: OperatorRemoved'],
    ],
    ['a policy without a status', { namespaced: [policy('a', {})] }, ['KeepalivePolicy db/a: NotSeenYet']],
    [
      'a policy whose status speaks of what it said before',
      { namespaced: [policy('a', { conditions: [ready, covered] }, 2)] },
      ['KeepalivePolicy db/a: NotSeenYet'],
    ],
    [
      'a policy that is in force and does not cover all',
      { namespaced: [policy('a', { conditions: [ready, condition('Covered', 'False', 'NotCovered')] })] },
      ['KeepalivePolicy db/a: NotCovered'],
    ],
    ['a node without an agent', { agents: known([]) }, ['node n1: AgentMissing']],
    [
      'a node whose agent is not ready',
      { agents: known([agentOn('n1', false)]) },
      ['node n1: AgentNotReady'],
    ],
    ['a node whose agent says nothing', { reports: known([]) }, ['node n1: AgentSilent']],
    [
      'a node that reaches no connections',
      {
        reports: known([
          reportOf('n1', { connections: { by: 'ValuesOnly', countedBy: 'Nobody', why: 'EPERM' } }),
        ]),
      },
      ['node n1: ValuesOnly'],
    ],
    [
      'the gravest first',
      {
        namespaced: [
          policy('a', { conditions: [ready, condition('Covered', 'False', 'NotCovered')] }),
          policy('b', { conditions: [condition('Ready', 'False', 'BeyondLimits'), covered, stalled] }),
        ],
        agents: known([]),
      },
      ['KeepalivePolicy db/b: BeyondLimits', 'node n1: AgentMissing', 'KeepalivePolicy db/a: NotCovered'],
    ],
  ])('is %s', (_sentence, extra, expected) => {
    const board = boardOf(facts(extra));
    expect(board.wrong.map(({ about, reason }) => `${about}: ${reason}`)).toEqual(expected);
    for (const one of expected) expect(text(board)).toContain(`  ${one}: `);
  });

  test.each<[string, Partial<StatusFacts>]>([
    [
      'that nothing is there yet that a policy selects',
      {
        namespaced: [
          policy('a', { conditions: [ready, condition('Covered', 'Unknown', 'NothingSelected')] }),
        ],
      },
    ],
    [
      'a node that no agent is meant for',
      { nodes: known([{ name: 'n1', labels: { 'kubernetes.io/os': 'windows' } }]), agents: known([]) },
    ],
    [
      'that connections are reached by descriptors',
      {
        reports: known([
          reportOf('n1', { connections: { by: 'Descriptors', countedBy: 'Descriptors', why: 'no BTF' } }),
        ]),
      },
    ],
  ])('is not %s', (_sentence, extra) => {
    expect(boardOf(facts(extra)).wrong).toEqual([]);
  });

  test('is not that something may not be read, which is told apart', () => {
    const why = 'you may not list pods in namespace keepalive-agent';
    const board = boardOf(facts({ agents: { known: false, why } }));
    expect(board).toMatchObject({ wrong: [], unknown: [`the agents: ${why}`] });
    expect(board.nodes).toMatchObject([{ name: 'n1', agent: 'Unknown' }]);
    expect(text(board)).toContain(`unknown: the agents: ${why}\n`);
  });
});

test('the text has a line for each policy and each node, and the worst findings', () => {
  const finding = (reason: string, pod: string) => ({ reason, pod, node: 'n1', message: `${reason} it is` });
  const status: PolicyStatus = {
    conditions: [ready, condition('Covered', 'False', 'NotCovered', 'Not covered: 1 of 3 connections')],
    effective: {
      idleTimeoutSeconds: 90,
      limitedBy: 'office-nat',
      timeSeconds: 30,
      intervalSeconds: 10,
      probes: 6,
    },
    pods: { selected: 2, declared: 2, live: 2, skipped: 0, summary: '2/2' },
    connections: { established: 4, protected: 2, exposed: 1, unknown: 1 },
    findings: [
      finding('OwnValuesChanged', 'a'),
      finding('ExposedConnections', 'b'),
      finding('SkipLabel', 'c'),
      finding('NotLive', 'd'),
    ],
    findingsTotal: 9,
  };
  const host = { now: { timeSeconds: 7200, intervalSeconds: 75, probes: 9 } };
  const connections = { by: 'Descriptors', countedBy: 'Descriptors', why: 'the kernel has no BTF' } as const;
  const pods = { selected: 2, live: 2, summary: '2/2' };
  const board = boardOf(
    facts({
      namespaced: [policy('nat', status)],
      reports: known([reportOf('n1', { host, connections, pods })]),
    }),
  );
  expect(text(board)).toBe(`One thing is wrong
  KeepalivePolicy db/nat: NotCovered: Not covered: 1 of 3 connections

POLICY  BEHIND             VALUES   MODE     PODS  CONNECTIONS                        READY  COVERED
db/nat  90 s (office-nat)  30/10/6  Enforce  2/2   2 protected, 1 exposed, 1 unknown  True   False

db/nat
  ExposedConnections (pod b, node n1): ExposedConnections it is
  NotLive (pod d, node n1): NotLive it is
  OwnValuesChanged (pod a, node n1): OwnValuesChanged it is
  and 6 more findings: kubectl describe kap -n db nat

NODE  AGENT  CONNECTIONS                         PODS  OWN VALUES
n1    0.1.0  Descriptors: the kernel has no BTF  2/2   7200/75/9
`);
});
