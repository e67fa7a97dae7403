import { describe, expect, test } from '@jest/globals';

import type { PodView, RawPod } from '../../../src/policy/pod.ts';
import { podView } from '../../../src/policy/pod.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { noAgents } from '../../../src/policy/rollup.ts';
import { assessed } from '../../support/assessed.ts';
import type { PodSketch } from '../../support/builder.ts';
import { namespace, platform, pod, rawPod, sysctls, team } from '../../support/builder.ts';

const policy = team(90);
const look = (
  pods: PodView[],
  of: EffectivePolicy = policy,
  others: EffectivePolicy[] = [],
  home = namespace(),
) =>
  assessed(of, {
    generation: 1,
    neighbourhoods: [{ namespace: home, pods }],
    others: [of, ...others],
    facts: noAgents,
  });

describe('counting pods', () => {
  test.each<[string, PodSketch, string]>([
    ['a pod with the values of the policy is declared', { sysctls: sysctls() }, 'declared'],
    ['so is one with others that are enough', { sysctls: sysctls(45, 30, 2) }, 'declared'],
    ['a pod whose second probe may be too late is exposed', { sysctls: sysctls(60, 20, 6) }, 'exposed'],
    ['a pod without values is exposed', {}, 'exposed'],
    [
      'a pod whose values cannot be read is exposed',
      { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '0x1e' }] },
      'exposed',
    ],
    ['hostNetwork is skipped', { spec: { hostNetwork: true } }, 'HostNetwork'],
    ['Windows by spec.os is skipped', { spec: { os: { name: 'windows' } } }, 'Windows'],
    [
      'Windows by node selector is skipped',
      { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } },
      'Windows',
    ],
    [
      'a pending Windows pod is skipped, though a policy of an older version gave it values',
      {
        phase: 'Pending',
        sysctls: sysctls(),
        spec: { nodeSelector: { 'beta.kubernetes.io/os': 'windows' } },
      },
      'Windows',
    ],
    ['a static pod is skipped', { annotations: { 'kubernetes.io/config.mirror': 'x' } }, 'StaticPod'],
    [
      'a static pod with good values is declared',
      { annotations: { 'kubernetes.io/config.mirror': 'x' }, sysctls: sysctls() },
      'declared',
    ],
    [
      'a pod that asks to be left alone is skipped',
      { labels: { 'keepalive.dev/skip': 'true' } },
      'SkipLabel',
    ],
    ['any other value of that label means nothing', { labels: { 'keepalive.dev/skip': 'false' } }, 'exposed'],
  ])('%s', (_sentence, sketch, standing) => {
    const { pods, findings } = look([pod(sketch)]);
    expect(pods.selected).toBe(1);
    expect(pods.declared).toBe(standing === 'declared' ? 1 : 0);
    expect(pods.skippedBy ?? []).toEqual(
      ['declared', 'exposed'].includes(standing) ? [] : [{ reason: standing, count: 1 }],
    );
    const unread = pod(sketch).declared === undefined ? 'UnreadableSysctl' : 'NotDeclared';
    const reason = standing === 'exposed' ? unread : standing;
    expect(findings.map((finding) => finding.reason)).toEqual(standing === 'declared' ? [] : [reason]);
  });

  test.each([
    ['baseline', 'v1.28', true],
    ['restricted', 'v1.9', true],
    ['baseline', 'v1.29', false],
    ['baseline', 'latest', false],
    ['privileged', 'v1.28', false],
  ])('a namespace that enforces %s of %s skips its pods: %s', (level, version, skipped) => {
    const home = namespace('db', {
      'pod-security.kubernetes.io/enforce': level,
      'pod-security.kubernetes.io/enforce-version': version,
    });
    expect(look([pod()], policy, [], home).pods.skipped).toBe(skipped ? 1 : 0);
  });

  test.each([
    ['hostNetwork', { hostNetwork: true }],
    ['Windows', { os: { name: 'windows' } }],
  ])('%s declares nothing, however long the timeout', (_sentence, spec) => {
    expect(look([pod({ spec })], team(86_400)).pods).toMatchObject({ declared: 0, skipped: 1 });
  });

  test('pods that ended, are ending, or are not selected do not count', () => {
    const selective = team(90, { podSelector: { matchLabels: { app: 'mongo' } } });
    const ending = pod({ labels: { app: 'mongo' } });
    const { pods } = look(
      [
        pod({ labels: { app: 'mongo' } }),
        pod({ name: 'done', labels: { app: 'mongo' }, phase: 'Succeeded' }),
        pod({ name: 'failed', labels: { app: 'mongo' }, phase: 'Failed' }),
        { ...ending, live: false },
        pod({ name: 'web', labels: { app: 'web' } }),
      ],
      selective,
    );
    expect(pods).toEqual({ selected: 1, declared: 0, skipped: 0, summary: '0/1' });
  });
});

describe('a pod of which no container has run', () => {
  test.each<[string, NonNullable<RawPod['status']>, boolean]>([
    ['is pending', { phase: 'Pending' }, true],
    ['is pending before anybody has said anything of it', {}, true],
    ['is pending while its image is pulled', { phase: 'Pending', containerStatuses: [{ state: {} }] }, true],
    [
      'is not, once an init container runs',
      { phase: 'Pending', initContainerStatuses: [{ state: { running: {} } }] },
      false,
    ],
    [
      'is not, when one has ended',
      { phase: 'Pending', initContainerStatuses: [{ state: { terminated: {} } }] },
      false,
    ],
    [
      'is not, while one that fails waits',
      { phase: 'Pending', containerStatuses: [{ restartCount: 1 }] },
      false,
    ],
    ['is not, while it runs', { phase: 'Running' }, false],
  ])('%s', (_sentence, status, pending) => {
    expect(podView({ ...rawPod(), status }).pending).toBe(pending);
  });

  test('counts as declared and not in the summary', () => {
    const seen = look([
      pod({ sysctls: sysctls() }),
      pod({ name: 'b', sysctls: sysctls(), phase: 'Pending' }),
    ]);
    expect(seen.pods).toEqual({ selected: 2, declared: 2, pending: 1, skipped: 0, summary: '1/2' });
  });
});

describe('findings', () => {
  test('are at most twenty, worst first, with the total beside them, and the same whatever the order of the pods', () => {
    const proxied = team(90, {
      path: [{ preset: 'envoy-tcp' }, { name: 'nat', type: 'NAT', idleTimeoutSeconds: 90 }],
    });
    const pods = [
      ...Array.from({ length: 30 }, (_, index) => pod({ name: `web-${index}` })),
      pod({ name: 'host', spec: { hostNetwork: true } }),
    ];
    const forward = look(pods, proxied, [team(30, {}, 'stricter')]);
    const backward = look([...pods].reverse(), proxied, [team(30, {}, 'stricter')]);
    expect(forward).toEqual(backward);
    expect(forward.findingsTotal).toBe(1 + 30 + 1 + 1);
    expect(forward.findings).toHaveLength(20);
    expect(forward.findings[0]).toMatchObject({ reason: 'ProxyHop', hop: 'envoy-tcp' });
    expect(forward.findings[1]).toMatchObject({ reason: 'NotDeclared', pod: 'web-0', node: 'n1' });
    expect(forward.findings[2]).toMatchObject({ pod: 'web-1' });
    expect(forward.findings[3]).toMatchObject({ pod: 'web-10' });
  });

  test('a proxy says what to set instead', () => {
    const proxied = team(90, { path: [{ preset: 'nginx-stream' }, { preset: 'aws-nlb' }] });
    expect(look([], proxied).findings[0]?.message).toBe(
      'nginx-stream is a proxy: it counts data, and no keepalive probe refreshes its 600 s. ' +
        'Raise its idle timeout (proxy_timeout), or let the application send heartbeats more often',
    );
  });

  test('a pod whose own values admission changed is told of, with what they were', () => {
    const changed = pod({ sysctls: sysctls(), annotations: { 'keepalive.dev/own-values': '600/-/-' } });
    const { pods, findings } = look([changed]);
    expect(pods.declared).toBe(1);
    expect(findings).toMatchObject([{ reason: 'OwnValuesChanged', pod: 'mongo-0' }]);
    expect(findings[0]?.message).toContain(
      'its own 600/-/- (time/interval/probes, - where it said nothing) was not enough and became 30/10/6',
    );
  });

  test.each(['-/-/-', 'nonsense', '<b>1</b>/2/3'])('one that says %s had none of its own', (text) => {
    const changed = pod({ sysctls: sysctls(), annotations: { 'keepalive.dev/own-values': text } });
    expect(look([changed]).findings).toEqual([]);
  });

  test('an exposed pod is told what to do, in Enforce and in Audit', () => {
    expect(look([pod()]).findings[0]?.message).toBe(
      'its spec starts it with 7200/75/9, which is not enough behind 90 s: recreate it to start with 30/10/6',
    );
    expect(look([pod()], team(90, { mode: 'Audit' })).findings[0]?.message).toContain(
      'mode Enforce would start it with',
    );
  });

  test.each([
    ['Refused', 'only a node agent can change that, since something refuses pods with the values there'],
    ['NotAsked', 'the webhook is not asked about new pods there, so run the node agent'],
  ] as const)('an exposed pod where admission is silent is not told to be recreated: %s', (silence, told) => {
    const message = assessed(policy, {
      ...{ generation: 1, facts: noAgents, silentIn: new Map([['db', silence]]) },
      neighbourhoods: [{ namespace: namespace(), pods: [pod()] }],
      others: [policy],
    }).findings[0]?.message;
    expect(message).toContain(told);
    expect(message).not.toContain('recreate');
  });

  test('a cluster policy names the namespace of a pod', () => {
    expect(look([pod()], platform(90)).findings[0]).toMatchObject({ namespace: 'db', pod: 'mongo-0' });
  });

  test('nodes that nobody covers are said', () => {
    const withNodes = platform(90, { nodes: { selector: {} } });
    expect(look([], withNodes).findings.map(({ reason }) => reason)).toEqual(['NodesNotCovered']);
  });
});

describe('a pod that was made while admission looked away', () => {
  const since = Date.parse('2026-05-04T10:00:00Z');
  const made = (sketch: PodSketch = {}, createdAtMs = since + 1000) => ({ ...pod(sketch), createdAtMs });
  const found = (pods: PodView[], givenSince: (name: string) => number | undefined = () => since) =>
    assessed(policy, {
      ...{ generation: 1, neighbourhoods: [{ namespace: namespace(), pods }], others: [] },
      ...{ facts: noAgents, givenSince },
    });
  const reasons = (...args: Parameters<typeof found>) => found(...args).findings.map(({ reason }) => reason);

  test('is named, once: not as one more that declares nothing', () => {
    const { findings, findingsTotal, coverage } = found([made(), made({ name: 'b' })]);
    expect(findings.map(({ reason, pod: name }) => `${reason} ${name}`)).toEqual([
      ...['MissedByAdmission b', 'MissedByAdmission mongo-0'],
    ]);
    expect(findingsTotal).toBe(2);
    expect(findings[0]?.message).toContain('Recreate it to start with 30/10/6');
    expect(coverage.message).toContain('2 of 2 pods');
  });

  test.each<[string, PodView, string[]]>([
    ['is not one of before the policy was in force', made({}, since), ['NotDeclared']],
    [
      'nor one that admission noted',
      made({ annotations: { 'keepalive.dev/requirement': '90/30/10/-' } }),
      ['NotDeclared'],
    ],
    ['nor one whose own values are enough', made({ sysctls: sysctls(45, 30, 2) }), []],
    ['nor one that is left as it is', made({ labels: { 'keepalive.dev/skip': 'true' } }), ['SkipLabel']],
    ['nor one of a node', made({ spec: { hostNetwork: true } }), ['HostNetwork']],
    ['nor one that has ended', made({ phase: 'Succeeded' }), []],
  ])('%s', (_sentence, one, expected) => {
    expect(reasons([one])).toEqual(expected);
  });

  test('nor one of a namespace where nothing is given', () => {
    expect(reasons([made()], () => undefined)).toEqual(['NotDeclared']);
  });

  test('comes after what is exposed', () => {
    expect(reasons([made(), made({ name: 'z' }, since)])).toEqual(['NotDeclared', 'MissedByAdmission']);
  });
});
