import { expect, test } from '@jest/globals';

import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { platform, pod, team } from '../../support/builder.ts';
import { Rig } from './counts-rig.ts';

function put(rig: Rig, policy: EffectivePolicy): void {
  const record = { ...policy, policy, uid: 'u', generation: 1, problems: undefined, status: {} };
  if (policy.kind === 'ClusterKeepalivePolicy') rig.put('clusterkeepalivepolicies', policy.name, record);
  else rig.put('keepalivepolicies', `${policy.namespace}/${policy.name}`, record);
}

test('a node that comes, is relabelled or goes concerns those that ask for nodes, and those that select something there', async () => {
  const rig = new Rig();
  const [all, other] = [{}, { podSelector: { matchLabels: { app: 'other' } } }];
  for (const policy of [
    platform(90, all, 'all'),
    platform(90, other, 'other'),
    platform(90, { ...other, nodes: { selector: {} } }, 'ofnodes'),
  ])
    put(rig, policy);
  for (const name of ['db', 'web']) {
    put(rig, team(90, {}, 'own', name));
    rig.put('namespaces', name, { uid: name, name, labels: {} });
  }
  const placed = pod({ name: 'a', namespace: 'web', spec: { nodeName: 'n1' } });
  rig.put('pods', 'web/a', { ...placed, uid: 'a', agentReady: undefined });
  for (const key of rig.keys()) await rig.kept(key);
  const woken = (node: string, labels: Record<string, string> | undefined) => {
    rig.woken.clear();
    rig.put('nodes', node, labels && { uid: node, name: node, labels });
    return [...rig.woken].sort();
  };
  for (const labels of [{}, { pool: 'a' }, undefined]) {
    expect(woken('n1', labels)).toEqual(['all', 'ofnodes', 'web/own']);
    expect(woken('n2', labels)).toEqual(['ofnodes']);
  }
});

test('a policy of the cluster that is edited concerns all instead of which it binds, or did, and nobody else while it audits', async () => {
  const rig = new Rig();
  for (const name of ['cloud', 'backbone']) put(rig, platform(90, {}, name));
  for (const name of ['db', 'web']) put(rig, team(90, {}, 'own', name));
  const settle = async () => {
    for (const key of rig.keys()) await rig.kept(key);
  };
  const edit = (seconds: number, mode: 'Enforce' | 'Audit') => {
    rig.woken.clear();
    put(rig, platform(seconds, { mode }, 'cloud'));
    return [...rig.woken].sort();
  };
  const all = ['backbone', 'cloud', 'db/own', 'web/own'];
  await settle();
  expect(edit(100, 'Enforce')).toEqual(['cloud']);
  expect(edit(45, 'Enforce')).toEqual(all);
  // Before they are counted as well as after.
  expect(edit(100, 'Enforce')).toEqual(all);
  await settle();
  expect(edit(45, 'Enforce')).toEqual(all);
  await settle();
  expect(edit(45, 'Audit')).toEqual(all);
  await settle();
  expect(edit(30, 'Audit')).toEqual(['cloud']);
});
