import { describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { plan } from '../../../src/policy/plan.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { assessed } from '../../support/assessed.ts';
import { namespace, platform, pod, sysctls, team } from '../../support/builder.ts';
import type { PlainFacts } from '../../support/recount-nodes.ts';
import { after, boundTo, circumstances, conditionsOf, record } from './plan-rig.ts';

type Said = Partial<NodePolicyReport>;
const said = (rest: Said = {}): NodePolicyReport => ({
  ...{ kind: 'KeepalivePolicy', namespace: 'db', name: 'team', observedGeneration: 1, selected: 1, live: 1 },
  ...rest,
});

/** Nodes by name: what the agent said; undefined where it is ready and has not spoken of the policy. */
function facts(
  nodes: Readonly<Record<string, Said | undefined>>,
  silent: readonly string[] = [],
): PlainFacts {
  return {
    anyAgent: true,
    agentsMissing: undefined,
    isServed: (node) => !node.startsWith('fargate'),
    isReporting: (node) => Object.hasOwn(nodes, node),
    reportOf: (node) => (nodes[node] === undefined ? undefined : said(nodes[node])),
    shortenedOn: () => undefined,
    nodes: [...Object.keys(nodes), ...silent].map((name) => ({ name, labels: { name } })),
  };
}
const on = (node: string, name: string, sketch: Parameters<typeof pod>[0] = {}) =>
  pod({ name, ...sketch, spec: { ...sketch?.spec, nodeName: node } });
const look = (
  pods: ReturnType<typeof pod>[],
  nodes: PlainFacts,
  policy: EffectivePolicy = team(90),
  digest = 1,
) =>
  assessed(policy, {
    digest,
    ...{ generation: 1, neighbourhoods: [{ namespace: namespace(), pods }], others: [policy], facts: nodes },
  });

describe('what the agents say', () => {
  test('is added up, and counts before what specs say', () => {
    const pods = [on('n1', 'a'), on('n1', 'b', { sysctls: sysctls() }), on('n2', 'c')];
    const seen = look(pods, facts({ n1: { selected: 2, live: 2 }, n2: { live: 1 } }));
    expect(seen.pods).toEqual({ selected: 3, declared: 1, live: 3, skipped: 0, summary: '3/3' });
    expect(seen.nodes).toEqual({ selected: 2, reporting: 2 });
    expect(seen).toMatchObject({ findingsTotal: 0, awaited: [], hosts: undefined });
  });

  test('is not waited for where a pod can only run on Windows, and is where it waits for any other node', () => {
    const waiting = (name: string, nodeSelector: Record<string, string>) => ({
      ...pod({ name, phase: 'Pending', spec: { nodeSelector } }),
      node: undefined,
    });
    const pods = [waiting('a', { 'kubernetes.io/os': 'windows' }), waiting('b', {})];
    const seen = look(pods, facts({ n1: { selected: 0, live: 0 } }));
    expect(seen.pods).toMatchObject({
      selected: 2,
      skipped: 1,
      skippedBy: [{ reason: 'Windows', count: 1 }],
    });
    expect(seen.findings).toMatchObject([{ reason: 'Windows', pod: 'a' }]);
  });

  test('of more pods that it skipped than it has is no more than it has', () => {
    const skippedBy = [{ reason: 'SkipLabel' as const, count: 2_147_483_647 }];
    const seen = look([on('n1', 'a')], facts({ n1: { live: 0, skippedBy } }));
    expect(seen.pods.skippedBy).toEqual([{ reason: 'SkipLabel', count: 1 }]);
  });

  test('of specs that nobody heeds there is not declared, and never of more than there are', () => {
    const pods = [
      ...['a', 'b'].map((name) => on('n1', name, { sysctls: sysctls() })),
      on('n2', 'c', { sysctls: sysctls() }),
      on('n2', 'd'),
    ];
    const declaredWith = (n1: Said, n2: Said) =>
      look(pods, facts({ n1: { selected: 2, ...n1 }, n2: { selected: 2, ...n2 } })).pods.declared;
    expect(declaredWith({}, {})).toBe(3);
    expect(declaredWith({ unheeded: 1 }, {})).toBe(2);
    expect(declaredWith({ unheeded: 1 }, { unheeded: 7 })).toBe(1);
  });

  test('says nothing of a node that is selected since: it is awaited', () => {
    const policy = team(90);
    const withNodes = platform(90, { nodes: { selector: {} } });
    expect(look([on('n1', 'a')], facts({ n1: {} }), policy).awaited).toEqual([]);
    expect(look([on('n1', 'a')], facts({ n1: {} }), withNodes).awaited).toEqual(['n1']);
    expect(look([on('n1', 'a')], facts({ n1: { host: 'Live' } }), withNodes).awaited).toEqual([]);
  });

  test('brings its findings, worst first, and their totals', () => {
    const skip = { reason: 'SkipLabel', pod: 'a', message: '' };
    const exposed = { reason: 'NotReachable', pod: 'z', message: '' };
    const seen = look(
      [on('n1', 'a'), on('n2', 'z')],
      facts({
        n1: { live: 0, skippedBy: [{ reason: 'SkipLabel', count: 1 }], findings: [skip], findingsTotal: 1 },
        n2: { live: 0, findings: [exposed], findingsTotal: 30 },
      }),
    );
    expect(seen.findings.map(({ reason }) => reason)).toEqual(['NotReachable', 'SkipLabel']);
    expect(seen.findingsTotal).toBe(31);
    expect(seen.pods).toMatchObject({ skipped: 1, skippedBy: [{ reason: 'SkipLabel', count: 1 }] });
  });

  test.each([
    [
      'of another one that had its name, or of other values, is waited for until it is of this one',
      7,
      ['n1'],
    ],
    ['of this one is not', 8, []],
    ['where an agent tells no more than the generation, is believed by that', undefined, []],
  ])('%s', (_sentence, policyDigest, awaited) => {
    const known = policyDigest === undefined ? {} : { policyDigest };
    const seen = look([on('n1', 'a')], facts({ n1: { selected: 1, live: 1, ...known } }), team(90), 8);
    expect([seen.awaited, seen.pods.live]).toEqual([awaited, 1]);
  });

  test('is of that node and of its pods, whatever else it says', () => {
    const lie = {
      node: 'n2',
      hop: 'envoy',
      policy: 'other',
      namespace: 'web',
      reason: 'ProxyHop',
      message: 'm',
    };
    const seen = look(
      [on('n1', 'a')],
      facts({ n1: { findings: [lie, { ...lie, pod: 'a', message: 'p' }], findingsTotal: 2 } }),
    );
    expect(seen.findings).toEqual([
      { reason: 'ProxyHop', node: 'n1', message: 'm' },
      { reason: 'ProxyHop', namespace: 'web', pod: 'a', node: 'n1', message: 'p' },
    ]);
    expect(seen.coverage.message).not.toContain('proxy');
  });

  test('of an earlier generation counts until the agent holds the present one, which is waited for', () => {
    const seen = look(
      [on('n1', 'a'), on('n2', 'b')],
      facts({ n1: { observedGeneration: 0 }, n2: undefined }),
    );
    expect(seen).toMatchObject({
      awaited: ['n1', 'n2'],
      findingsTotal: 0,
      pods: { live: 1, summary: '1/2' },
      coverage: { status: 'Unknown', reason: 'AwaitingNodes' },
    });
  });

  test('is missing where a report has no room for the policy: nobody waits for it, and nothing is made up', () => {
    const nodes = {
      ...facts({ n1: undefined, n2: { selected: 1, live: 1 } }),
      shortenedOn: (node: string) => (node === 'n1' ? { policies: 5000, leftOut: 3800 } : undefined),
    };
    const seen = look([on('n1', 'a'), on('n2', 'b')], nodes);
    expect(seen).toMatchObject({
      awaited: [],
      pods: { live: 1, summary: '1/2' },
      coverage: { status: 'Unknown', reason: 'ReportTooLong' },
      findings: [{ reason: 'ReportTooLong', node: 'n1' }],
      findingsTotal: 1,
    });
    expect(seen.findings[0]?.message).toContain('namespace db has 5000 policies');
  });

  test('is waited for where others of its namespace were left out, and it was told of before', () => {
    const nodes = {
      ...facts({ n1: { observedGeneration: 0 } }),
      shortenedOn: () => ({ policies: 5000, leftOut: 3800 }),
    };
    expect(look([on('n1', 'a')], nodes).awaited).toEqual(['n1']);
  });

  test('is one finding of many nodes that have no room for it', () => {
    const names = Array.from({ length: 4 }, (_, index) => `n${index}`);
    const nodes = {
      ...facts(Object.fromEntries(names.map((name) => [name, undefined]))),
      shortenedOn: () => ({ policies: 5000, leftOut: 3800 }),
    };
    const { findings } = look(
      names.map((name) => on(name, `on-${name}`)),
      nodes,
    );
    expect(findings).toMatchObject([{ reason: 'ReportTooLong' }]);
    expect(findings[0]?.message).toMatch(/^on 4 nodes \(n0, n1, n2 and 1 more\): namespace db/);
  });

  test('of pods that are gone since does not make more live than there are', () => {
    expect(look([on('n1', 'a')], facts({ n1: { selected: 3, live: 3 } })).pods.summary).toBe('1/1');
  });
});

describe('a pod that has not started', () => {
  const pending = { phase: 'Pending', sysctls: sysctls() };
  test('is no live one, whatever its spec declares', () => {
    const seen = look(
      [on('n1', 'a'), on('n1', 'b', pending)],
      facts({ n1: { selected: 2, live: 1, pending: 1 } }),
    );
    expect(seen.pods).toEqual({ selected: 2, declared: 1, live: 1, pending: 1, skipped: 0, summary: '1/2' });
    expect(seen.findings).toEqual([]);
  });

  test('is no fault of anybody while it has no node: the agent of its node will see to it', () => {
    const waiting = pod({ name: 'b', phase: 'Pending', spec: { nodeName: '' } });
    const seen = look([on('n1', 'a'), { ...waiting, node: undefined }], facts({ n1: {} }));
    expect(seen.pods).toMatchObject({ selected: 2, pending: 1, summary: '1/2' });
    expect(seen.findings).toEqual([]);
  });
});

describe('a node without an agent that is ready', () => {
  test('is a finding, and its pods are judged by their specs', () => {
    const seen = look([on('n1', 'a'), on('n9', 'b')], facts({ n1: {} }));
    expect(seen.findings).toMatchObject([
      { reason: 'NodeAway', node: 'n9' },
      { reason: 'NotDeclared', pod: 'b' },
    ]);
    expect(seen.nodes).toEqual({ selected: 2, reporting: 1 });
    expect(seen.pods.summary).toBe('1/2');
    expect(seen.awaited).toEqual([]);
  });

  test('does not have numbers made up for it where no agent reports at all', () => {
    const seen = look([on('n9', 'b', { sysctls: sysctls() })], facts({}));
    expect(seen.pods).toEqual({ selected: 1, declared: 1, skipped: 0, summary: '1/1' });
    expect(seen.nodes).toEqual({ selected: 1, reporting: 0 });
  });
});

describe('many nodes', () => {
  const nodes = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}-${at}`);
  const podsOn = (names: readonly string[]) => names.map((node) => on(node, `on-${node}`));

  test('without an agent are one finding for those that should have one, and one for those that cannot', () => {
    const seen = look(podsOn([...nodes('away', 25), ...nodes('fargate', 40)]), facts({}));
    const [away, unserved, ...pods] = seen.findings;
    expect(away?.message).toMatch(/^no agent reports from 25 nodes \(away-0, away-1, away-10 and 22 more\)/);
    expect(unserved?.message).toMatch(/is not for 40 nodes \(fargate-0, fargate-1, fargate-10 and 37 more\)/);
    expect([away?.reason, unserved?.reason]).toEqual(['NodeAway', 'NodesWithoutAgents']);
    expect(pods.map(({ reason }) => reason)).toEqual(Array(18).fill('NotDeclared'));
    expect(seen.findingsTotal).toBe(2 + 65);
  });

  test('of which only one has no agent have it in the field for a node', () => {
    const seen = look(podsOn(['fargate-0']), facts({}));
    expect(seen.findings[0]).toMatchObject({ reason: 'NodesWithoutAgents', node: 'fargate-0' });
  });

  test('whose agents say the same are one finding', () => {
    const same = (node: string) => ({ reason: 'ShorterTrackerOnNode', node, message: 'conntrack 60 s' });
    const other = { reason: 'ShorterTrackerOnNode', node: 'n3', message: 'IPVS 60 s' };
    const saidOf = (finding: Said['findings'] = []) => ({ findings: finding, findingsTotal: finding.length });
    const seen = look(
      podsOn(['n1', 'n2', 'n3']),
      facts({ n1: saidOf([same('n1')]), n2: saidOf([same('n2')]), n3: saidOf([other]) }),
    );
    expect(seen.findings).toEqual([
      { reason: 'ShorterTrackerOnNode', message: 'on 2 nodes (n1, n2): conntrack 60 s' },
      other,
    ]);
    expect(seen.findingsTotal).toBe(2);
  });
});

describe('a policy for nodes', () => {
  const policy = platform(90, { podSelector: undefined, nodes: { selector: {} } });
  test('counts the nodes and those that hold it', () => {
    const nodes = facts({ n1: { host: 'Live' }, n2: { host: 'NotLive' } }, ['n3']);
    const seen = look([], nodes, policy);
    expect(seen.hosts).toEqual({ selected: 3, live: 1, summary: '1/3' });
    expect(seen.nodes).toEqual({ selected: 3, reporting: 2 });
    expect(seen.findings).toMatchObject([{ reason: 'NodeAway', node: 'n3' }]);
  });

  test('does not call a host live whose agent is away, whatever it said last', () => {
    const nodes = { ...facts({ n1: { host: 'Live' } }), isReporting: () => false };
    expect(look([], nodes, policy).hosts).toEqual({ selected: 1, live: 0, summary: '0/1' });
  });
});

describe('the plan of a policy', () => {
  const of = record(90, { nodes: { selector: {} } });
  const seen = { name: 'platform', kind: 'ClusterKeepalivePolicy' as const };
  const settle = (nodes: PlainFacts, status = of.status, now = after(4000)) =>
    plan(
      circumstances(
        { ...of, status },
        { facts: nodes, binding: boundTo(of), neighbourhoods: [], now, activatingForMs: 4000 },
      ),
    );
  const activating = plan(
    circumstances(of, { facts: facts({ n1: undefined }), binding: boundTo(of) }),
  ).status;

  test('waits for the API server, then for the agents, and is then ready', () => {
    expect(conditionsOf(activating)).toContain('Reconciling=True Activating');
    const awaiting = settle(facts({ n1: undefined }), activating);
    expect(conditionsOf(awaiting.status)).toContain('Reconciling=True AwaitingNodes');
    expect(awaiting.againAfterMs).toBeUndefined();
    const ready = settle(facts({ n1: { ...seen, host: 'Live' } }), awaiting.status, after(4100));
    expect(conditionsOf(ready.status)).toEqual(['Ready=True Enforced']);
  });

  test('stays ready when a node comes, or goes away', () => {
    const ready = settle(facts({ n1: { ...seen, host: 'Live' } }), activating).status;
    for (const nodes of [facts({ n1: { ...seen }, n2: undefined }), facts({}, ['n1'])])
      expect(conditionsOf(settle(nodes, ready).status)).toEqual(['Ready=True Enforced']);
  });

  test('names three of the nodes that it waits for', () => {
    const many = facts({ n1: undefined, n2: undefined, n3: undefined, n4: undefined, n5: undefined });
    expect(settle(many, activating).verdict.message).toBe(
      'Waiting for the agents of n1, n2, n3 and 2 more to report on generation 1; ' +
        'until then they are counted with what they reported before',
    );
  });
});
