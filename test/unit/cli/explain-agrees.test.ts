import { expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { readSettings } from '../../../src/api/settings.ts';
import type { Finding } from '../../../src/api/status.ts';
import type { AgentPod } from '../../../src/cli/agent-pods.ts';
import { known } from '../../../src/cli/cluster.ts';
import { explainNode } from '../../../src/cli/explain-node.ts';
import { explainPod } from '../../../src/cli/explain-pod.ts';
import { has } from '../../../src/cli/explanation.ts';
import { nodePod } from '../../../src/policy/node-pod.ts';
import type { PodView } from '../../../src/policy/pod.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { noAgents } from '../../../src/policy/rollup.ts';
import { assessed } from '../../support/assessed.ts';
import type { PodSketch } from '../../support/builder.ts';
import { namespace, nat as path, platform, rawPod, sysctls, team } from '../../support/builder.ts';
import type { PlainFacts } from '../../support/recount-nodes.ts';
import { Page } from '../docs/page.ts';
import { agentOn, factsOf, factsOfNode, finding, inForce, nat, recordOf, reportOn } from './explained.ts';

/** One pod, and a policy of which there is one finding. */
interface Case {
  readonly policy?: EffectivePolicy;
  readonly others?: readonly EffectivePolicy[];
  readonly pod?: PodSketch;
  readonly madeAtMs?: number;
  readonly home?: Record<string, string>;
  readonly settings?: Record<string, string>;
  /** What the agent of its node tells; undefined: it does not report. */
  readonly said?: Partial<NodePolicyReport>;
  readonly facts?: Partial<PlainFacts>;
  /** Pods of the agents; else as `facts` say. */
  readonly agents?: readonly AgentPod[];
}

const declared: PodSketch = { sysctls: sysctls() };
const open = { established: 2, protected: 2, exposed: 0 };
const exposed = { established: 2, protected: 1, exposed: 1 };
/** The agent tells this of the pod, beside what it tells of any that is covered. */
const told = (reason: string, extra: Partial<NodePolicyReport> = {}): Case => ({
  pod: declared,
  said: { connections: open, findings: [finding(reason)], findingsTotal: 1, ...extra },
});
const missing = (reason: string): Case => ({
  facts: { ...noAgents, agentsMissing: { reason, message: 'none is there' } },
});
const pinned = {
  'pod-security.kubernetes.io/enforce': 'baseline',
  'pod-security.kubernetes.io/enforce-version': 'v1.28',
};
const away: Partial<PlainFacts> = { isReporting: () => false };
const [covered, uncovered] = [{ pod: declared, said: {} }, { live: 0 }];

const cases: readonly (readonly [reason: string, what: Case])[] = [
  ['ProxyHop', { ...covered, policy: team(90, { path: [...path(90), { preset: 'envoy-tcp' }] }) }],
  ['GivesUpEarly', { ...covered, policy: team(90, { keepalive: { intervalSeconds: 2, probes: 3 } }) }],
  ['NodesNotCovered', { pod: declared, policy: platform(90, { nodes: { selector: {} } }), facts: noAgents }],
  ['SettingsUnreadable', { ...covered, settings: { acting: 'Sometimes' } }],
  ['RepairNotAllowed', { ...covered, settings: { openConnections: 'Observe' } }],
  ['AdmissionRefused', covered],
  ['NodeAway', { pod: declared, facts: away }],
  ['NodeAway', { facts: away }],
  ['NodeAway', { ...covered, facts: away }],
  ['NodeAway', { ...covered, facts: away, agents: [agentOn('n2')] }],
  ['NodesWithoutAgents', { pod: declared, facts: { ...away, isServed: () => false } }],
  ['AgentsMissing', missing('AgentsMissing')],
  ['AgentsMissing', { ...missing('AgentsMissing'), pod: declared }],
  ['AgentsMissing', { ...missing('AgentsMissing'), ...covered }],
  ['AgentsElsewhere', missing('AgentsElsewhere')],
  [
    'ReportTooLong',
    {
      ...{ pod: declared, said: { findingsTotal: 3 } },
      facts: { shortenedOn: () => ({ namespace: 'db', policies: 900, leftOut: 0 }) },
    },
  ],
  ...[
    'NotReachable',
    'ClaimedTwice',
    'NotNoted',
    'Unsupported',
    'WriteRefused',
    'NotEnforced',
    'NotLive',
  ].map((reason) => [reason, told(reason, uncovered)] as const),
  ['GuestNotReached', told('GuestNotReached')],
  ['GuestNotReached', told('GuestNotReached', { connections: exposed })],
  ['MissedByAdmission', { facts: noAgents, madeAtMs: 2000 }],
  [
    'UnreadableSysctl',
    { facts: noAgents, pod: { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '0x1e' }] } },
  ],
  ['NotDeclared', { facts: noAgents }],
  ['NotDeclared', { facts: noAgents, pod: { phase: 'Pending' } }],
  ['NotDeclared', { facts: away }],
  ['Overridden', told('Overridden')],
  ['Overridden', told('Overridden', uncovered)],
  ['ShorterTrackerOnNode', told('ShorterTrackerOnNode', { findings: [ofNode('ShorterTrackerOnNode')] })],
  ['ExposedConnections', told('ExposedConnections', { connections: exposed })],
  ['SocketsNotReachable', told('SocketsNotReachable')],
  ['TooManySockets', told('TooManySockets')],
  ['OtherTransport', told('OtherTransport')],
  ['UserTimeout', told('UserTimeout')],
  ['UserTimeout', told('UserTimeout', { connections: exposed })],
  ['OwnValuesChanged', told('OwnValuesChanged')],
  ['SkipLabel', { ...told('SkipLabel', uncovered), pod: { labels: { 'keepalive.dev/skip': 'true' } } }],
  ['SkipLabel', { facts: noAgents, pod: { labels: { 'keepalive.dev/skip': 'true' } } }],
  ['HostNetwork', { ...told('HostNetwork', uncovered), pod: { spec: { hostNetwork: true } } }],
  ['Windows', { facts: noAgents, pod: { spec: { os: { name: 'windows' } } } }],
  ['StaticPod', { facts: noAgents, pod: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }],
  ['PodSecurityPinned', { facts: noAgents, home: pinned }],
  ['StricterPolicy', { ...covered, others: [platform(60)] }],
];

function ofNode(reason: string): Finding {
  return { reason, node: 'n1', message: `${reason} it is` };
}

const reportOf = (policy: EffectivePolicy, said: Case['said']) =>
  said === undefined ? undefined : reportOn(policy, said);

function viewOf({ pod = {}, madeAtMs }: Case): PodView {
  const raw = rawPod(pod);
  const view = nodePod({ ...raw, metadata: { ...raw.metadata, uid: 'u' } });
  return madeAtMs === undefined ? view : { ...view, createdAtMs: madeAtMs };
}

function assessment(one: Case, pods: readonly PodView[] = [viewOf(one)]) {
  const { policy = nat, others = [], home = {}, said, facts = {} } = one;
  return assessed(policy, {
    ...{ generation: 1, others, givenSince: () => 1000 },
    neighbourhoods: [{ namespace: namespace('db', home), pods }],
    facts: {
      ...{ anyAgent: true, agentsMissing: undefined, isServed: () => true, isReporting: () => true },
      ...{ shortenedOn: () => undefined, nodes: [{ name: 'n1', labels: {} }] },
      reportOf: () => reportOf(policy, said),
      ...facts,
    },
  });
}

/** Of a node that is away they run, and are not ready; there are others elsewhere. */
function agentsOf({ agents, facts = {} }: Case): readonly AgentPod[] {
  const { anyAgent = true, isReporting = () => true } = facts;
  return agents ?? (anyAgent ? [agentOn('n1', isReporting('n1')), agentOn('n2')] : []);
}

function explained(one: Case) {
  const { policy = nat, others = [], pod = {}, home = {}, settings, said, facts = {} } = one;
  const policies = [policy, ...others];
  const shortened = facts.shortenedOn?.('n1');
  return explainPod(
    factsOf({
      ...{ pod, policies: policies.map((one) => recordOf(one, inForce)) },
      ...(said === undefined
        ? {}
        : {
            report: {
              policies: policies.map((one) => reportOn(one, said)),
              ...(shortened === undefined ? {} : { shortened: [shortened] }),
            },
          }),
      facts: {
        ...{ namespace: known(namespace('db', home)), agents: known(agentsOf(one)) },
        ...(settings === undefined ? {} : { settings: known(readSettings(settings)) }),
      },
    }),
  );
}

/** Others than what is assessed add these. */
const besides = ['SettingsUnreadable', 'RepairNotAllowed', 'AdmissionRefused'];
const standings = { True: 'Covered', False: 'NotCovered', Unknown: 'Unknown' } as const;

test.each(cases)('explain says of a pod with %s what Covered says of its policy (case %#)', (reason, one) => {
  const { findings, coverage } = assessment(one);
  expect(besides.includes(reason) || findings.some((each) => each.reason === reason)).toBe(true);
  expect([coverage.reason, explained(one).standing]).toEqual([coverage.reason, standings[coverage.status]]);
});

const leftOut: Case = { pod: { annotations: { 'kubernetes.io/config.mirror': 'x' } }, said: {} };
const all = [...cases, ['no finding, which admission leaves out', leftOut] as const];

test.each(all)('explain calls something of a pod with %s wrong where it exits with 1 (case %#)', (_, one) => {
  const { standing, parts } = explained(one);
  expect(has(Object.values(parts).flat(), 'wrong')).toBe(standing === 'NotCovered');
});

const hostCase = (reason: string, extra: Partial<NodePolicyReport> = {}): Case => ({
  said: { connections: open, findings: [ofNode(reason)], findingsTotal: 1, ...extra },
});
const notLive = { host: 'NotLive' } as const;

/** The same of the own network of a node, whose policy selects no pods. */
const ofNodes: readonly (readonly [reason: string, what: Case])[] = [
  ...cases.filter(([reason]) => ['ProxyHop', 'GivesUpEarly', 'ReportTooLong'].includes(reason)),
  ['NodesNotCovered', { facts: noAgents }],
  ['NodesNotCovered', { said: {}, facts: noAgents }],
  ['NodeAway', { facts: away }],
  ['NodeAway', { said: {}, facts: away }],
  ['NodeAway', { said: {}, facts: away, agents: [agentOn('n2')] }],
  ['NodesWithoutAgents', { facts: { ...away, isServed: () => false } }],
  ...['NotReachable', 'NotNoted', 'Unsupported', 'WriteRefused', 'NotEnforced', 'NotLive'].map(
    (reason) => [reason, hostCase(reason, notLive)] as const,
  ),
  ['Overridden', hostCase('Overridden')],
  ['Overridden', hostCase('Overridden', notLive)],
  ['OwnValuesChanged', hostCase('OwnValuesChanged')],
  ['ShorterTrackerOnNode', hostCase('ShorterTrackerOnNode')],
  ['ExposedConnections', hostCase('ExposedConnections', { connections: exposed })],
  ['SocketsNotReachable', hostCase('SocketsNotReachable')],
  ['TooManySockets', hostCase('TooManySockets')],
  ['OtherTransport', hostCase('OtherTransport')],
  ['UserTimeout', hostCase('UserTimeout')],
  ['UserTimeout', hostCase('UserTimeout', { connections: exposed })],
];

test.each(ofNodes)(
  'explain says of a node with %s what Covered says of its policy (case %#)',
  (reason, one) => {
    const { keepalive, path: along } = (one.policy ?? nat).spec;
    const policy = platform(90, { podSelector: undefined, nodes: { selector: {} }, keepalive, path: along });
    const said = one.said && { selected: 0, live: 0, host: 'Live' as const, ...one.said };
    const { findings, coverage } = assessment({ ...one, policy, ...(said && { said }) }, []);
    expect(findings.map((each) => each.reason)).toContain(reason);
    const standing = (report: NodePolicyReport | undefined) =>
      explainNode(factsOfNode(policy, report, agentsOf(one))).standing;
    expect([coverage.reason, standing(reportOf(policy, said))]).toEqual([
      coverage.reason,
      standings[coverage.status],
    ]);
  },
);

test('explain was asked about every finding that there is', () => {
  const named = new Page('docs/install.md')
    .tableAfter('### Findings')
    .map(([reason = '']) => reason.replaceAll('`', ''));
  expect(new Set(cases.map(([reason]) => reason))).toEqual(new Set(named));
});
