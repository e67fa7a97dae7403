import { describe, expect, test } from '@jest/globals';

import type { PolicyRecord } from '../../../src/policy/record.ts';
import { sandboxOf } from '../../../src/policy/runtime.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { namespace, nodePodOf, platform, team } from '../../support/builder.ts';

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
    ...{ node: { name: 'n1', labels }, pods, namespaces, runtimeClasses: new Map() },
    policies: policies.map(recordOf),
  });
const values = (time: number, interval: number, probes = 6) => ({
  timeSeconds: time,
  intervalSeconds: interval,
  probes,
});

describe('a pod of this node', () => {
  test.each([
    ['nobody selects', [], undefined],
    ['a team selects', [team(90)], values(30, 10)],
    ['two select, by the strictest of each value', [team(90), platform(60)], values(20, 6)],
    ['another namespace’s team does not select', [team(90, {}, 'team', 'web')], undefined],
    [
      'a platform selects by the namespace',
      [platform(90, { namespaceSelector: { matchLabels: { tier: 'data' } } })],
      values(30, 10),
    ],
    [
      'a platform passes over',
      [platform(90, { namespaceSelector: { matchLabels: { tier: 'web' } } })],
      undefined,
    ],
    ['is only audited', [team(90, { mode: 'Audit' })], undefined],
    [
      'is audited by one and enforced by another',
      [team(30, { mode: 'Audit' }), platform(90)],
      values(30, 10),
    ],
  ] satisfies [string, EffectivePolicy[], object | undefined][])('%s', (_sentence, policies, wanted) => {
    expect(select(policies).pods).toMatchObject([{ wanted }]);
  });

  test('that asks to be left alone is, though it is selected', () => {
    const pod = nodePodOf({ labels: { 'keepalive.dev/skip': 'true' } });
    expect(select([team(90)], [pod]).pods).toMatchObject([{ wanted: undefined, by: [{}] }]);
  });

  test.each([
    ['a static pod', nodePodOf({ annotations: { 'kubernetes.io/config.mirror': 'x' } })],
    ['one that is ending', { ...nodePodOf(), live: false }],
    ['one that is being started', nodePodOf({ phase: 'Pending' })],
  ])('%s is held, unlike at its creation', (_sentence, pod) => {
    expect(select([team(90)], [pod]).pods).toMatchObject([{ wanted: values(30, 10) }]);
  });

  test('in a namespace that pins Pod Security is held: no spec of it has to pass', () => {
    const labels = {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/enforce-version': 'v1.28',
    };
    const pinned = selectOnNode({
      ...{ node: undefined, pods: [nodePodOf()], runtimeClasses: new Map() },
      namespaces: new Map([['db', namespace('db', labels)]]),
      policies: [recordOf(team(90))],
    });
    expect(pinned.pods).toMatchObject([{ wanted: values(30, 10) }]);
  });

  test('that has ended has no place any more', () => {
    expect(
      select([team(90)], [nodePodOf({ phase: 'Succeeded' }), nodePodOf({ phase: 'Failed' })]).pods,
    ).toEqual([]);
  });

  test('is known to the kubelet by its uid, a static pod by the hash of its file', () => {
    const annotations = { 'kubernetes.io/config.mirror': 'abc', 'kubernetes.io/config.hash': 'abc' };
    expect(nodePodOf({ name: 'web' }).kubeletUid).toBe('uid-of-web');
    expect(nodePodOf({ annotations }).kubeletUid).toBe('abc');
  });
});

describe('the node itself', () => {
  test.each([
    ['a policy for all nodes', { selector: {} }, values(30, 10)],
    ['a policy for nodes like this', { selector: { matchLabels: { pool: 'a' } } }, values(30, 10)],
    ['a policy for others', { selector: { matchLabels: { pool: 'b' } } }, undefined],
  ])('is selected by %s', (_sentence, nodes, wanted) => {
    expect(select([platform(90, { nodes })], [], { pool: 'a' }).host.wanted).toEqual(wanted);
  });

  test('is not selected by policies for pods alone, nor while it has not been read', () => {
    expect(select([team(90), platform(90)]).host).toEqual({ by: [], wanted: undefined, sockets: undefined });
    const unread = selectOnNode({
      ...{ node: undefined, pods: [], namespaces, runtimeClasses: new Map() },
      policies: [recordOf(platform(90, { nodes: { selector: {} } }))],
    });
    expect(unread.host.by).toEqual([]);
  });
});

describe('the runtime of a pod', () => {
  const classes = new Map([
    ['secure', { name: 'secure', handler: 'runsc' }],
    ['kata', { name: 'kata', handler: 'runc' }],
    ['vm', { name: 'vm', handler: 'kata-qemu' }],
    ['gpu', { name: 'gpu', handler: 'nvidia' }],
  ]);
  test.each([
    [undefined, undefined],
    ['secure', 'runsc'],
    ['vm', 'kata-qemu'],
    ['kata', undefined],
    ['gpu', undefined],
    ['gvisor', 'gvisor'],
    ['katana', undefined],
    ['unknown', undefined],
  ])('class %s runs in a sandbox: %s', (runtimeClass, sandbox) => {
    expect(sandboxOf(runtimeClass, classes)).toBe(sandbox);
  });
});
