import { describe, expect, test } from '@jest/globals';

import type { PolicyRecord } from '../../../src/policy/record.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { asking, namespace, nodePodOf, platform, team } from '../../support/builder.ts';

const recordOf = (policy: EffectivePolicy): PolicyRecord => ({
  ...{ kind: policy.kind, namespace: policy.namespace, name: policy.name },
  ...{ uid: 'u1', generation: 1, policy, problems: undefined, status: {} },
});
const namespaces = new Map([
  ['db', namespace('db', { tier: 'data' })],
  ['web', namespace('web')],
]);
const select = (policies: EffectivePolicy[], pods = [nodePodOf()], labels: Record<string, string> = {}) =>
  selectOnNode({
    ...{ node: { name: 'n1', labels }, pods, namespaces },
    policies: policies.map(recordOf),
  });

describe('a pod of this node', () => {
  test.each([
    ['nobody selects', [], asking()],
    ['a team selects', [team(90)], asking(90)],
    [
      'two select, by the shortest timeout and the smallest of what they declare',
      [team(90, { keepalive: { timeSeconds: 20 } }), platform(60)],
      asking(60, { timeSeconds: 20 }),
    ],
    ['another namespace’s team does not select', [team(90, {}, 'team', 'web')], asking()],
    [
      'a platform selects by the namespace',
      [platform(90, { namespaceSelector: { matchLabels: { tier: 'data' } } })],
      asking(90),
    ],
    [
      'a platform passes over',
      [platform(90, { namespaceSelector: { matchLabels: { tier: 'web' } } })],
      asking(),
    ],
    ['is only audited', [team(90, { mode: 'Audit' })], asking()],
    ['is audited by one and enforced by another', [team(30, { mode: 'Audit' }), platform(90)], asking(90)],
  ] satisfies [string, EffectivePolicy[], object | undefined][])('%s', (_sentence, policies, wanted) => {
    expect(select(policies).pods).toMatchObject([{ wanted }]);
  });

  test('that asks to be left alone is, though it is selected', () => {
    const pod = nodePodOf({ labels: { 'keepalive.dev/skip': 'true' } });
    expect(select([team(90)], [pod]).pods).toMatchObject([{ wanted: asking(), by: [{}] }]);
  });

  test.each([
    ['a static pod', nodePodOf({ annotations: { 'kubernetes.io/config.mirror': 'x' } })],
    ['one that is ending', { ...nodePodOf(), live: false }],
    ['one that is being started', nodePodOf({ phase: 'Pending' })],
    [
      'one that tolerates Windows, and runs here on Linux',
      nodePodOf({ spec: { tolerations: [{ key: 'os', value: 'windows' }] } }),
    ],
  ])('%s is held, unlike at its creation', (_sentence, pod) => {
    expect(select([team(90)], [pod]).pods).toMatchObject([{ wanted: asking(90) }]);
  });

  test('in a namespace that pins Pod Security is held: no spec of it has to pass', () => {
    const labels = {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/enforce-version': 'v1.28',
    };
    const pinned = selectOnNode({
      ...{ node: undefined, pods: [nodePodOf()] },
      namespaces: new Map([['db', namespace('db', labels)]]),
      policies: [recordOf(team(90))],
    });
    expect(pinned.pods).toMatchObject([{ wanted: asking(90) }]);
  });

  describe('in a namespace that was not read yet', () => {
    const except = { key: 'tier', operator: 'NotIn' as const, values: ['data'] };
    const unread = (policy: EffectivePolicy) =>
      selectOnNode({
        ...{ node: undefined, pods: [nodePodOf()], namespaces: new Map() },
        policies: [recordOf(policy)],
      }).pods;

    test.each([
      ['an expression', { matchExpressions: [except] }],
      ['a label', { matchLabels: { tier: 'data' } }],
    ])('keeps what it has where %s decides, and gets nothing', (_sentence, namespaceSelector) => {
      const policy = platform(90, { namespaceSelector, openConnections: 'Repair' });
      expect(unread(policy)).toMatchObject([{ by: [], wanted: { ...asking(), hold: true } }]);
      expect(unread(policy)[0]?.sockets).toBeUndefined();
    });

    test.each([
      ['its own', team(90)],
      ['one of all namespaces', platform(90)],
    ])('is selected by %s', (_sentence, policy) => {
      expect(unread(policy)).toMatchObject([{ wanted: asking(90) }]);
    });

    test('keeps nothing for a policy of other pods', () => {
      const policy = platform(90, {
        namespaceSelector: { matchExpressions: [except] },
        podSelector: { matchLabels: { app: 'another' } },
      });
      expect(unread(policy)).toMatchObject([{ wanted: asking() }]);
    });
  });

  test('that has ended has no place any more', () => {
    expect(
      select([team(90)], [nodePodOf({ phase: 'Succeeded' }), nodePodOf({ phase: 'Failed' })]).pods,
    ).toEqual([]);
  });
});

describe('the node itself', () => {
  test.each([
    ['a policy for all nodes', { selector: {} }, asking(90)],
    ['a policy for nodes like this', { selector: { matchLabels: { pool: 'a' } } }, asking(90)],
    ['a policy for others', { selector: { matchLabels: { pool: 'b' } } }, asking()],
  ])('is selected by %s', (_sentence, nodes, wanted) => {
    expect(select([platform(90, { nodes })], [], { pool: 'a' }).host.wanted).toEqual(wanted);
  });

  test('is not selected by policies for pods alone, nor while it has not been read', () => {
    expect(select([team(90), platform(90)]).host).toEqual({ by: [], wanted: asking(), sockets: undefined });
    const unread = selectOnNode({
      ...{ node: undefined, pods: [], namespaces },
      policies: [recordOf(platform(90, { nodes: { selector: {} } }))],
    });
    expect(unread.host.by).toEqual([]);
  });
});

describe('a policy that cannot be read', () => {
  const unread = (kind: PolicyRecord['kind'], of: string): PolicyRecord => ({
    ...{ kind, namespace: of, name: 'newer', uid: 'u2', generation: 2, policy: undefined },
    ...{ problems: 'spec.mode: expected one of "Enforce"|"Audit"', status: {} },
  });
  const holds = (record: PolicyRecord, first = nodePodOf()) => {
    const { pods, host } = selectOnNode({
      ...{ node: { name: 'n1', labels: {} }, namespaces },
      pods: [first, nodePodOf({ name: 'front', namespace: 'web' })],
      policies: [record],
    });
    return [...pods.map(({ wanted }) => wanted.hold), host.wanted.hold];
  };

  test('of a namespace holds what its pods have', () => {
    expect(holds(unread('KeepalivePolicy', 'db'))).toEqual([true, false, false]);
  });

  test('holds nothing of a pod that asks to be left alone: what it had goes back', () => {
    const leftAlone = nodePodOf({ labels: { 'keepalive.dev/skip': 'true' } });
    expect(holds(unread('ClusterKeepalivePolicy', ''), leftAlone)).toEqual([false, true, true]);
  });

  test('of the cluster holds what every pod and the node have', () => {
    expect(holds(unread('ClusterKeepalivePolicy', ''))).toEqual([true, true, true]);
  });
});
