import { expect, test } from '@jest/globals';

import { platform, pod, team } from '../../support/builder.ts';
import { Rig } from './counts-rig.ts';

test('a node that comes, is relabelled or goes concerns those that ask for nodes, and those that select something there', async () => {
  const rig = new Rig();
  const rest = { uid: 'u', generation: 1, problems: undefined, status: {} };
  const [all, other] = [{}, { podSelector: { matchLabels: { app: 'other' } } }];
  for (const policy of [
    platform(90, all, 'all'),
    platform(90, other, 'other'),
    platform(90, { ...other, nodes: { selector: {} } }, 'ofnodes'),
  ])
    rig.put('clusterkeepalivepolicies', policy.name, { ...policy, policy, ...rest });
  for (const name of ['db', 'web']) {
    const policy = team(90, {}, 'own', name);
    rig.put('keepalivepolicies', `${name}/own`, { ...policy, policy, ...rest });
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
