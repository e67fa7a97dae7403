import { describe, expect, test } from '@jest/globals';

import { kernelDefaults } from '../../../src/api/triple.ts';
import { nodeReport } from '../../../src/policy/node-report.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import { kubeProxyOf } from '../../../src/policy/tracker.ts';
import { namespace, nodePodOf, platform, team } from '../../support/builder.ts';
import type { Scene } from './node-report-rig.ts';
import { container, override, report, untouched, wanted } from './node-report-rig.ts';

describe('what a pod’s kernel holds', () => {
  test.each<[string, Scene, string | undefined]>([
    ['the values: it is live', {}, undefined],
    [
      'other values that are enough: it is live',
      { seen: { 'mongo-0': { now: { timeSeconds: 45, intervalSeconds: 30, probes: 2 } } } },
      undefined,
    ],
    ['read a moment ago and looser: the agent is at it', { seen: { 'mongo-0': untouched } }, 'NotLive'],
    [
      'a value of 0, which no keepalive works with',
      { seen: { 'mongo-0': { now: { ...wanted, timeSeconds: 0 } } } },
      'NotLive',
    ],
    [
      'only audited',
      { policies: [team(90, { mode: 'Audit' })], seen: { 'mongo-0': untouched } },
      'NotEnforced',
    ],
    [
      'nothing of one of them',
      {
        seen: {
          'mongo-0': {
            now: { timeSeconds: 30, intervalSeconds: 10 },
            faults: [{ key: 'probes', code: 'ENOENT' }],
          },
        },
      },
      'Unsupported',
    ],
    [
      'what it refuses to have changed',
      { seen: { 'mongo-0': { ...untouched, faults: [{ key: 'timeSeconds', code: 'EROFS' }] } } },
      'WriteRefused',
    ],
    ['what somebody sets again and again', { seen: { 'mongo-0': { ...untouched, override } } }, 'Overridden'],
    [
      'not changed: another pod lays claim to it',
      { seen: { 'mongo-0': { state: 'contested', now: {}, reason: 'team-b/liar' } } },
      'ClaimedTwice',
    ],
    ['not known: no process', { seen: { 'mongo-0': { state: 'absent', now: {} } } }, 'NotReachable'],
    [
      'not known: it may not be entered',
      { seen: { 'mongo-0': { state: 'failed', now: {}, reason: 'EACCES' } } },
      'NotReachable',
    ],
    [
      'not changed: what was found cannot be noted',
      { seen: { 'mongo-0': { state: 'failed', now: {}, reason: 'ledger ENOSPC' } } },
      'NotNoted',
    ],
    [
      'good values, which are not those of its own kernel',
      { seen: { 'mongo-0': { state: 'sandboxed', sandbox: 'gVisor' } } },
      'NotReachable',
    ],
    [
      'nothing that counts, where it is only audited',
      {
        policies: [team(90, { mode: 'Audit' })],
        seen: { 'mongo-0': { state: 'sandboxed', sandbox: 'Kata', now: {} } },
      },
      'NotReachable',
    ],
  ])('%s', (_sentence, scene, reason) => {
    const [policy] = report(scene).policies ?? [];
    expect(policy).toMatchObject({ name: 'team', namespace: 'db', observedGeneration: 4, selected: 1 });
    expect(policy?.live).toBe(reason === undefined ? 1 : 0);
    expect(policy?.findings?.map((finding) => finding.reason)).toEqual(
      reason === undefined ? undefined : [reason],
    );
  });

  test('without a process names control groups as what may hide them', () => {
    const [policy] = report({ seen: { 'mongo-0': { state: 'absent', now: {} } } }).policies ?? [];
    expect(policy?.findings?.[0]?.message).toMatch(
      /^no process of it is found on its node: in a sandbox with a kernel of its own, .* control groups .* one cgroup driver$/,
    );
  });

  test.each([
    ['EACCES', 'and its AppArmor profile Unconfined and SELinux type spc_t'],
    ['EPERM', 'the capabilities that its manifest asks for'],
  ])('what may not be entered for %s is told with what to look at', (reason, advice) => {
    const [policy] = report({ seen: { 'mongo-0': { state: 'failed', now: {}, reason } } }).policies ?? [];
    expect(policy?.findings?.[0]?.message.endsWith(advice)).toBe(true);
  });

  test.each([
    ['has not been visited', {}],
    ['has no process yet', { 'mongo-0': { state: 'absent', now: {} } as const }],
  ])('is not asked of one that is being started and %s', (_sentence, seen) => {
    const [policy] = report({ pods: [{ phase: 'Pending' }], seen }).policies ?? [];
    expect(policy).toMatchObject({ selected: 1, live: 0 });
    expect(policy?.findings).toBeUndefined();
  });

  test('names who else lays claim to it', () => {
    const seen = { 'mongo-0': { state: 'contested', now: {}, reason: 'team-b/liar' } as const };
    expect(report({ seen }).policies?.[0]?.findings?.[0]?.message).toContain('team-b/liar');
  });

  test('is told of a live pod too where somebody set it back of late', () => {
    const [policy] = report({ seen: { 'mongo-0': { override, repaired: 2 } } }).policies ?? [];
    expect(policy).toMatchObject({
      live: 1,
      repaired: 2,
      findings: [{ reason: 'Overridden', pod: 'mongo-0' }],
    });
    expect(policy?.findings?.[0]?.message).toContain('set net.ipv4.tcp_keepalive_time to 600, 2 times');
  });
});

describe('a pod that is left alone', () => {
  const skipped = { labels: { 'keepalive.dev/skip': 'true' }, status: container };
  test('is counted by the reason and told of', () => {
    const [policy] = report({ pods: [skipped], seen: { 'mongo-0': untouched } }).policies ?? [];
    expect(policy).toMatchObject({
      skippedBy: [{ reason: 'SkipLabel', count: 1 }],
      findings: [{ reason: 'SkipLabel' }],
    });
  });

  test('is live all the same where its kernel holds good values', () => {
    expect(report({ pods: [skipped] }).policies).toMatchObject([{ live: 1 }]);
  });
});

describe('a pod of the node’s own network', () => {
  const pods = [{ spec: { hostNetwork: true }, status: container }];
  test('is live where that of the node is', () => {
    expect(report({ pods, host: {} }).policies).toMatchObject([{ live: 1 }]);
  });

  test('is told where to ask for it where it is not', () => {
    const [policy] = report({ pods }).policies ?? [];
    expect(policy).toMatchObject({ live: 0, findings: [{ reason: 'HostNetwork', node: 'n1' }] });
  });
});

describe('the node’s own network', () => {
  const policies = [platform(90, { nodes: { selector: {} } })];
  test('is shown with what is wanted and what was found', () => {
    const status = report({ policies, host: { found: kernelDefaults, repaired: 1 } });
    expect(status.host).toEqual({ now: wanted, wanted, found: kernelDefaults, repaired: 1 });
    expect(status.policies).toMatchObject([{ kind: 'ClusterKeepalivePolicy', host: 'Live' }]);
  });

  test('is shown as it is where nobody asks', () => {
    expect(report({}).host).toEqual({ now: kernelDefaults });
  });

  test('is told as the kernel holds it, also a time below 0, which it takes', () => {
    const below = { timeSeconds: -5, intervalSeconds: 75, probes: 9 };
    expect(report({ host: { now: below } }).host).toEqual({ now: below });
    const found = { timeSeconds: -2_147_483_648 };
    expect(report({ host: { found } }).host).toEqual({ now: wanted, found });
  });

  test('that cannot be written is a finding of the node', () => {
    const faults = [{ key: 'probes', code: 'EROFS' } as const];
    const [policy] = report({ policies, pods: [], host: { ...untouched, faults } }).policies ?? [];
    expect(policy).toMatchObject({
      host: 'NotLive',
      selected: 0,
      findings: [{ reason: 'WriteRefused', node: 'n1' }],
    });
    expect(policy?.findings?.[0]).not.toHaveProperty('pod');
  });
});

describe('the report of a node', () => {
  test('names policies that select something here, in one order, and counts each pod once', () => {
    const elsewhere = team(90, {}, 'team', 'web');
    const status = report({
      policies: [team(60, {}, 'b'), elsewhere, platform(90), team(90, {}, 'a')],
      seen: { 'mongo-0': { now: { timeSeconds: 20, intervalSeconds: 6, probes: 6 } } },
    });
    expect(status.policies?.map(({ name }) => name)).toEqual(['platform', 'a', 'b']);
    expect(status.pods).toEqual({ selected: 1, live: 1, summary: '1/1' });
  });

  test('calls a pod live only where what it holds is enough for all that select it', () => {
    const status = report({ policies: [team(90), team(40, { mode: 'Audit' }, 'audit')] });
    expect(status.policies).toMatchObject([
      { name: 'audit', live: 0 },
      { name: 'team', live: 1 },
    ]);
    expect(status.pods?.summary).toBe('0/1');
  });

  test('tells of values of somebody’s own that were changed: by admission, by the agent, and of the node', () => {
    const found = { timeSeconds: 600, intervalSeconds: 75, probes: 9 };
    const status = report({
      policies: [platform(90, { nodes: { selector: {} } })],
      pods: [
        { name: 'by-agent' },
        { name: 'by-admission', annotations: { 'keepalive.dev/own-values': '-/60/-' } },
        { name: 'of-nobody' },
      ],
      seen: {
        'by-agent': { found },
        'by-admission': {},
        'of-nobody': { found: kernelDefaults },
      },
      host: { found: { timeSeconds: 300 } },
    });
    const { findings = [] } = status.policies?.[0] ?? {};
    const told = findings.map(({ reason, pod, message }) => [reason, pod, message.slice(0, 20)]);
    expect(told).toEqual([
      ['OwnValuesChanged', undefined, 'its own 300/-/- (tim'],
      ['OwnValuesChanged', 'by-admission', 'its own -/60/- (time'],
      ['OwnValuesChanged', 'by-agent', 'its own 600/75/9 (ti'],
    ]);
  });

  test('lists at most twenty findings, worst first, with the total, in the same order whatever came first', () => {
    const pods = [
      ...Array.from({ length: 25 }, (_, at) => ({ name: `web-${at}`, status: container })),
      { name: 'aside', labels: { 'keepalive.dev/skip': 'true' } },
    ];
    const seen = Object.fromEntries(pods.map(({ name }) => [name, untouched]));
    const [forward] = report({ pods, seen }).policies ?? [];
    const [backward] = report({ pods: [...pods].reverse(), seen }).policies ?? [];
    expect(forward).toEqual(backward);
    expect(forward).toMatchObject({ findingsTotal: 26, selected: 26 });
    expect(forward?.findings).toHaveLength(20);
    expect(forward?.findings?.every(({ reason }) => reason === 'NotLive')).toBe(true);
  });

  test('does not count pods that are ending', () => {
    const pods = [{ status: container }];
    const ending = selectOnNode({
      node: undefined,
      pods: pods.map((sketch) => ({ ...nodePodOf(sketch), live: false })),
      namespaces: new Map([['db', namespace()]]),
      policies: [],
    });
    const status = nodeReport({
      node: 'n1',
      agentVersion: '1',
      selections: ending,
      readings: new Map(),
      sockets: undefined,
      peers: 'Hide',
      discovery: undefined,
    });
    expect(status).toEqual({ agentVersion: '1', pods: { selected: 0, live: 0, summary: '0/0' } });
  });
});

describe('what the node itself would forget', () => {
  const trackers = [
    {
      type: 'Conntrack',
      idleTimeoutSeconds: 60,
      source: 'net.netfilter.nf_conntrack_tcp_timeout_established',
    } as const,
    { type: 'IPVS', idleTimeoutSeconds: 900, source: 'ipvsadm -l --timeout' } as const,
  ];
  const discovery = { trackers, kubeProxy: { mode: 'ipvs', ipvsTcpTimeout: '15m0s' } };

  test('is shown as it was found', () => {
    expect(report({ discovery })).toMatchObject(discovery);
    expect(report({})).not.toHaveProperty('trackers');
  });

  test('is a finding where it is sooner than what a policy declares, with the number and where it comes from', () => {
    const [policy] = report({ discovery }).policies ?? [];
    expect(policy?.findings).toMatchObject([{ reason: 'ShorterTrackerOnNode', node: 'n1' }]);
    expect(policy?.findings?.[0]?.message).toBe(
      'the node itself forgets an idle connection after 60 s (Conntrack, net.netfilter.nf_conntrack_tcp_timeout_established), ' +
        'sooner than the 90 s of nat: where these connections pass it, declare a hop ' +
        '{name: this-node, type: Conntrack, idleTimeoutSeconds: 60}',
    );
  });

  test.each([
    [60, []],
    [1200, ['Conntrack', 'IPVS']],
  ])('with a path of %i s: %j', (seconds, types) => {
    const [policy] = report({ policies: [team(seconds)], discovery }).policies ?? [];
    const found = (policy?.findings ?? []).map(({ message }) => /\((\w+),/.exec(message)?.[1]);
    expect(found.filter((type) => type !== undefined)).toEqual(types);
  });

  test.each([
    [
      'ipvs',
      '{"kubeproxy.config.k8s.io":{"mode":"ipvs","ipvs":{"tcpTimeout":"15m0s"},"conntrack":{"tcpEstablishedTimeout":"24h0m0s"}}}',
      { mode: 'ipvs', ipvsTcpTimeout: '15m0s', conntrackTcpEstablishedTimeout: '24h0m0s' },
    ],
    ['nftables\n', undefined, { mode: 'nftables' }],
    ['nftables', 'no JSON', { mode: 'nftables' }],
    [
      'ipvs',
      `{"kubeproxy.config.k8s.io":{"ipvs":{"tcpTimeout":"${'9'.repeat(60_000)}s"},"conntrack":{"tcpEstablishedTimeout":"<b>"}}}`,
      { mode: 'ipvs' },
    ],
    ['nftables', '{"kubeproxy.config.k8s.io":null}', { mode: 'nftables' }],
    ['nftables', '{"kubeproxy.config.k8s.io":{"ipvs":null}}', { mode: 'nftables' }],
    ['nftables', '{"kubeproxy.config.k8s.io":{"conntrack":null}}', { mode: 'nftables' }],
    ['nftables', '{"kubeproxy.config.k8s.io":{"ipvs":7,"conntrack":"7"}}', { mode: 'nftables' }],
    ['nftables', '{"kubeproxy.config.k8s.io":{"ipvs":{"tcpTimeout":900}}}', { mode: 'nftables' }],
    ['nftables', 'null', { mode: 'nftables' }],
    ['nftables', '['.repeat(60_000), { mode: 'nftables' }],
    ['nftables', `${'{"kubeproxy":'.repeat(5000)}7${'}'.repeat(5000)}`, { mode: 'nftables' }],
    ['<html>', undefined, undefined],
    [undefined, undefined, undefined],
  ])('kube-proxy that says %j', (mode, configz, expected) => {
    expect(kubeProxyOf(mode, configz)).toEqual(expected);
  });
});
