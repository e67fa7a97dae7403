import { describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { digestOfPods } from '../../../src/policy/pod-digest.ts';
import { lastingReasons } from '../../../src/policy/coverage.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { noAgents } from '../../../src/policy/rollup.ts';
import { assessed } from '../../support/assessed.ts';
import { namespace, nat, platform, pod, sysctls, team } from '../../support/builder.ts';
import type { PlainFacts } from '../../support/recount-nodes.ts';

type Said = Partial<NodePolicyReport>;
const open = (exposed = 0) => ({ established: 9, protected: 9 - exposed, exposed });
/** One pod, live, with all of its connections counted. */
const good: Said = { selected: 1, live: 1, connections: open() };

/** What the agents of n1, n2… said, in order; `silent`: no agent reports from there. */
function facts(...said: readonly (Said | 'silent')[]): PlainFacts {
  const of = (node: string) => said[Number(node.slice(1)) - 1];
  return {
    anyAgent: true,
    agentsMissing: undefined,
    isServed: () => true,
    isReporting: (node) => of(node) !== 'silent',
    reportOf: (node) => ({
      ...{
        kind: 'KeepalivePolicy',
        namespace: 'db',
        name: 'team',
        observedGeneration: 2,
        selected: 0,
        live: 0,
      },
      ...(of(node) as Said),
    }),
    shortenedOn: () => undefined,
    nodes: said.map((_, index) => ({ name: `n${index + 1}`, labels: {} })),
  };
}

const on = (node: string, name: string, phase = 'Running') =>
  pod({ name, phase, sysctls: sysctls(), spec: { nodeName: node } });
const [a, b] = [on('n1', 'a'), on('n2', 'b')];

function look(nodes: PlainFacts, pods = [a], policy: EffectivePolicy = team(90)) {
  const neighbourhoods = [{ namespace: namespace(), pods }];
  return assessed(policy, { ...{ generation: 2, neighbourhoods, others: [], facts: nodes } }).coverage;
}

function covered(...seen: Parameters<typeof look>) {
  const { status, reason, message } = look(...seen);
  return [status, reason, message];
}

describe('Covered is True', () => {
  test('when every selected pod and connection was read and is covered', () => {
    expect(covered(facts(good, good), [a, b])).toEqual([
      ...['True', 'AllCovered', 'Read in the kernel and covered: 2 pods and 18 open connections'],
    ]);
  });

  test('when the agent speaks of the pods that are there', () => {
    const said = facts({ ...good, podsDigest: digestOfPods(['one']) });
    expect(covered(said, [{ ...a, uid: 'one' }])[0]).toBe('True');
  });

  test('when every node is, of a policy that selects no pods', () => {
    const hosts = platform(90, { podSelector: undefined, nodes: { selector: {} } });
    const live: Said = { host: 'Live', connections: open() };
    expect(covered(facts(live, live), [], hosts)).toEqual([
      ...['True', 'AllCovered', 'Read in the kernel and covered: 2 nodes and 18 open connections'],
    ]);
  });
});

describe('Covered is False', () => {
  const fault = { pod: 'a', node: 'n1', reason: 'NotReachable', message: 'why' };
  const exposed: Said = { ...good, live: 0, findings: [fault], findingsTotal: 1 };

  test('while a pod is not, with the counts and the worst reason', () => {
    expect(covered(facts(exposed, good), [a, b])).toEqual([
      'False',
      'NotCovered',
      'Not covered: 1 of 2 pods. The worst is NotReachable of pod a: status.findings says what to do',
    ]);
  });

  test('while a connection is not', () => {
    expect(covered(facts({ ...good, connections: open(2) }))).toEqual([
      ...['False', 'NotCovered', 'Not covered: 2 of 9 connections'],
    ]);
  });

  test('while a node is not, and names all that is missing', () => {
    const both = platform(90, { nodes: { selector: {} } });
    const node = { node: 'n1', reason: 'WriteRefused', message: 'why' };
    expect(covered(facts({ ...exposed, host: 'NotLive', findings: [node, fault] }), [a], both)[2]).toBe(
      'Not covered: 1 of 1 pods and 1 of 1 nodes. The worst is WriteRefused of node n1: status.findings says what to do',
    );
  });

  test('for a pod that asked to be left alone: whoever wants Covered leaves it out by the selector', () => {
    const left = pod({ name: 'a', labels: { 'keepalive.dev/skip': 'true' } });
    const skipped: Said = { ...good, live: 0, skippedBy: [{ reason: 'SkipLabel', count: 1 }] };
    expect(covered(facts(skipped), [left])).toEqual(['False', 'NotCovered', 'Not covered: 1 of 1 pods']);
  });

  test('whatever the kernel holds, where a proxy of the path counts data', () => {
    const proxied = team(90, { path: [...nat(90), { preset: 'nginx-stream' }] });
    expect(covered(facts(good), [a], proxied)).toEqual([
      'False',
      'NotCovered',
      'What passes a proxy of the path is not covered. The worst is ProxyHop of nginx-stream: status.findings says what to do',
    ]);
  });

  test('without agents, where a spec alone says so', () => {
    expect(covered(noAgents, [pod({ name: 'web' })]).slice(0, 2)).toEqual(['False', 'NotCovered']);
  });

  test('even where another node is away', () => {
    expect(covered(facts(exposed, 'silent'), [a, b])[0]).toBe('False');
  });
});

describe('what is known not to be covered is counted', () => {
  const fault = { pod: 'a', node: 'n1', reason: 'NotReachable', message: 'why' };
  const exposed: Said = { ...good, live: 0, findings: [fault], findingsTotal: 1 };
  const proxied = team(90, { path: [...nat(90), { preset: 'nginx-stream' }] });
  const waiting = on('n1', 'p', 'Pending');
  const both = platform(90, { nodes: { selector: {} } });
  test.each<[string, Parameters<typeof look>, object | undefined]>([
    ['of pods that were read', [facts(exposed, good), [a, b]], { pods: 1 }],
    [
      'and of none that has not started, whatever else is not covered',
      [facts({ ...good, selected: 2, pending: 1 }), [a, waiting], proxied],
      { pods: 0 },
    ],
    [
      'and of those that were read beside one that has not started',
      [facts({ ...exposed, selected: 2, pending: 1 }), [a, waiting]],
      { pods: 1 },
    ],
    [
      'and of none whose node is away, while a connection elsewhere is exposed',
      [facts({ ...good, connections: open(2) }, 'silent'), [a, b]],
      { pods: 0 },
    ],
    ['of nodes that were read', [facts({ ...good, host: 'NotLive' }), [a], both], { pods: 0, hosts: 1 }],
    [
      'and of none whose agent is away',
      [facts({ ...exposed, host: 'Live' }, 'silent'), [a], both],
      { pods: 1, hosts: 0 },
    ],
    ['and not at all where no agent reports', [facts('silent')], undefined],
    ['nor where there are none', [noAgents, [pod({ name: 'web' })]], undefined],
  ])('%s', (_sentence, seen, expected) => {
    expect(look(...seen).uncovered).toEqual(expected);
  });
});

describe('Covered is Unknown', () => {
  const pending = on('n1', 'p', 'Pending');
  const waiting = { ...pending, node: undefined };
  test.each<[string, PlainFacts, ReturnType<typeof pod>[], string]>([
    ['where nothing is there that it selects', facts(good), [], 'NothingSelected'],
    ['where no agent runs', noAgents, [a], 'NoAgent'],
    ['where no agent runs, and its only pod waits for a node', noAgents, [waiting], 'NoAgent'],
    ['where no agent reports', facts('silent'), [a], 'NoAgent'],
    [
      'where no agent reports, and one of its pods waits for a node',
      facts('silent'),
      [a, waiting],
      'NoAgent',
    ],
    [
      'where no node was read, and nothing waits for one',
      facts(good),
      [{ ...a, node: undefined }],
      'NoAgent',
    ],
    [
      'while a node holds an earlier generation',
      facts({ ...good, observedGeneration: 1 }),
      [a],
      'AwaitingNodes',
    ],
    ['while one of the nodes is away', facts(good, 'silent'), [a, b], 'NodeAway'],
    [
      'where the report of a node has no room for the policy',
      { ...facts(good), reportOf: () => undefined, shortenedOn: () => ({ policies: 900, leftOut: 1 }) },
      [a],
      'ReportTooLong',
    ],
    [
      'where there was not room for all of its findings: one of them may be the counter-example',
      { ...facts({ ...good, findingsTotal: 3 }), shortenedOn: () => ({ policies: 900, leftOut: 0 }) },
      [a],
      'ReportTooLong',
    ],
    ['while a pod has not started', facts({ ...good, selected: 2, pending: 1 }), [a, pending], 'PodsPending'],
    ['while a pod has no node', facts(good), [a, waiting], 'PodsPending'],
    ['while its only pod has no node, whichever agents report', facts(good), [waiting], 'PodsPending'],
    ['while the agent has not said anything of a new pod', facts(good), [a, on('n1', 'new')], 'PodsPending'],
    [
      'while the agent has not said anything of a pod that took the place of another',
      facts({ ...good, podsDigest: digestOfPods(['another']) }),
      [{ ...a, uid: 'one' }],
      'PodsPending',
    ],
    [
      'where one of two went, and the other may be the one that was not covered',
      facts({ selected: 2, live: 1, connections: open(), podsDigest: digestOfPods(['one', 'other']) }),
      [{ ...a, uid: 'one' }],
      'PodsPending',
    ],
    ['before connections were counted', facts({ selected: 1, live: 1 }), [a], 'ConnectionsNotCounted'],
    [
      'before those of each pod were, whatever those of the others are',
      facts({ ...good, selected: 2, live: 2, uncounted: 1 }),
      [a, on('n1', 'new')],
      'ConnectionsNotCounted',
    ],
    [
      'where one node cannot tell, however much another has to say: of findings only some are listed',
      facts(
        {
          ...good,
          findings: Array.from({ length: 20 }, (_, at) => ({
            reason: 'ShorterTrackerOnNode',
            message: `${at}`,
          })),
          findingsTotal: 20,
        },
        {
          ...good,
          findings: [{ reason: 'GuestNotReached', pod: 'b', message: 'a guest' }],
          findingsTotal: 1,
        },
      ),
      [a, b],
      'GuestNotReached',
    ],
    [
      'where sockets cannot be looked at',
      facts({ ...good, findings: [{ reason: 'SocketsNotReachable', message: 'ENOSYS' }], findingsTotal: 1 }),
      [a],
      'SocketsNotReachable',
    ],
    [
      'where a virtual machine runs in a pod that is covered',
      facts({ ...good, findings: [{ reason: 'GuestNotReached', message: '' }], findingsTotal: 1 }),
      [a],
      'GuestNotReached',
    ],
    [
      'where there are too many sockets to look at',
      facts({ ...good, findings: [{ reason: 'TooManySockets', message: 'more' }], findingsTotal: 1 }),
      [a],
      'TooManySockets',
    ],
    [
      'where sockets are not of TCP alone',
      facts({ ...good, findings: [{ reason: 'OtherTransport', message: 'SMC' }], findingsTotal: 1 }),
      [a],
      'OtherTransport',
    ],
    [
      'connections of which nobody can tell when they speak',
      facts({ ...good, connections: { established: 3, protected: 2, exposed: 0, unknown: 1 } }),
      [a],
      'ConnectionsUnknown',
    ],
  ])('%s', (_sentence, nodes, pods, reason) => {
    expect(covered(nodes, pods).slice(0, 2)).toEqual(['Unknown', reason]);
  });

  test('where a selector of nodes selects none', () => {
    const hosts = platform(90, { podSelector: undefined, nodes: { selector: { matchLabels: { a: 'b' } } } });
    expect(covered(facts(good), [], hosts)[1]).toBe('NothingSelected');
  });
});

describe('what no waiting ends is told beside', () => {
  const of = (reason: string, rest: Said = {}) =>
    facts({ ...good, ...rest, findings: [{ reason, message: '' }], findingsTotal: 1 });
  const fresh = [a, on('n1', 'new')];

  test.each(['SocketsNotReachable', 'TooManySockets', 'OtherTransport'])(
    '%s, however many pods came just now',
    (reason) => {
      expect(look(of(reason), fresh)).toMatchObject({ reason: 'PodsPending', lasting: reason });
      expect(lastingReasons).toContain(reason);
    },
  );

  test('a report that has no room, too', () => {
    const cut = { ...facts({ ...good, findingsTotal: 3 }), shortenedOn: () => ({ policies: 9, leftOut: 0 }) };
    expect(look(cut, [a])).toMatchObject({ reason: 'ReportTooLong', lasting: 'ReportTooLong' });
    expect(lastingReasons).toContain('ReportTooLong');
  });

  test.each<[string, PlainFacts]>([
    ['a guest, of which nobody can ever tell', of('GuestNotReached')],
    ['a pod that has to be read yet', facts(good)],
    ['connections that have to be counted yet', facts({ selected: 2, live: 2 })],
  ])('and not %s', (_what, nodes) => {
    expect(look(nodes, fresh).lasting).toBeUndefined();
  });
});
