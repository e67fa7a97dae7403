import { expect, test } from '@jest/globals';

import type { HostCounts, PodCounts } from '../../../src/api/status.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { readyVerdict } from '../../../src/policy/verdict.ts';
import { platform, team } from '../../support/builder.ts';

const pods = (selected: number): PodCounts => ({ selected, declared: 0, skipped: 0, summary: '' });
const hosts = (selected: number): HostCounts => ({ selected, live: 0, summary: '' });
const seen = { kind: 'seen', others: false } as const;
const nodes = { nodes: { selector: {} } };
const values =
  'keepalive 30/10/6 where theirs is not enough: probes after 30 and 40 s, before nat forgets at 90 s; given up after 90 s';

test.each<[string, EffectivePolicy, { anyAgent: boolean; pods: PodCounts; hosts?: HostCounts }, string]>([
  ['pods', team(90), { anyAgent: true, pods: pods(2) }, `New and running pods get ${values}`],
  ['pods, without agents', team(90), { anyAgent: false, pods: pods(2) }, `New pods start with ${values}`],
  [
    'no pod that is there',
    team(90),
    { anyAgent: true, pods: pods(0) },
    `Nothing that it selects is there at present. Pods that come get ${values}`,
  ],
  [
    'pods and nodes',
    platform(90, nodes),
    { anyAgent: true, pods: pods(2), hosts: hosts(1) },
    `New and running pods and nodes get ${values}`,
  ],
  [
    'nodes, and no pod that is there',
    platform(90, nodes),
    { anyAgent: true, pods: pods(0), hosts: hosts(1) },
    `Pods that come and nodes get ${values}`,
  ],
  [
    'no node that is there',
    platform(90, { ...nodes, podSelector: undefined }),
    { anyAgent: true, pods: pods(0), hosts: hosts(0) },
    `Nothing that it selects is there at present. Nodes that come get ${values}`,
  ],
  [
    'pods, in an audit',
    team(90, { mode: 'Audit' }),
    { anyAgent: true, pods: pods(2) },
    `Nothing is changed. Enforced, new and running pods would get ${values}`,
  ],
])('Ready of a policy that selects %s says who gets what', (_whom, policy, present, message) => {
  expect(readyVerdict(policy, { hosts: undefined, evidence: seen, ...present }).message).toBe(message);
});
