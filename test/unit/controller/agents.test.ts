import { expect, test } from '@jest/globals';

import { agentsRecord } from '../../../src/controller/record.ts';
import { World } from '../../../src/controller/world.ts';
import { Contributions } from '../../../src/policy/contribution.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import { platformSpec, pod } from '../../support/builder.ts';

const home = 'keepalive-agent';
const labels = { 'app.kubernetes.io/name': 'keepalive-operator', 'app.kubernetes.io/component': 'agent' };

function report(world: World, node: string): void {
  const said = new Contributions(new Map());
  world.nodekeepalives.set(node, { uid: node, node, version: '1', said, shortened: new Map() });
}

function agent(world: World, node: string, agentReady: boolean): void {
  const view = pod({ name: node, namespace: home, spec: { nodeName: node } });
  world.pods.set(`${home}/${node}`, { uid: node, ...view, agentReady });
}

test('of the nodes that the DaemonSet wants an agent on, those report whose agent is ready and has', () => {
  const world = new World(home);
  expect(world.agents).toBeUndefined();
  const daemonSet = agentsRecord({
    metadata: { uid: 'd', resourceVersion: '1', namespace: home, name: home },
    spec: { template: { metadata: { labels } } },
    status: { desiredNumberScheduled: 4 },
  });
  if (daemonSet === undefined) throw new Error('this is none of agents');
  world.daemonsets.set(`${home}/${home}`, daemonSet);
  expect(world.agents).toEqual({ wanted: 4, reporting: 0 });
  for (const node of ['n1', 'n2', 'n3']) report(world, node);
  agent(world, 'n1', true);
  agent(world, 'n2', false);
  agent(world, 'n4', true);
  expect(world.agents).toEqual({ wanted: 4, reporting: 1 });
});

test('where there are reports and no DaemonSet, agents are elsewhere, or went without a word: none of them counts', () => {
  const world = new World(home);
  for (const node of ['n1', 'n2']) report(world, node);
  const view = pod({ name: 'n1', namespace: 'elsewhere', spec: { nodeName: 'n1' } });
  world.pods.set('elsewhere/n1', { uid: 'n1', ...view, agentReady: undefined });
  expect(world.agents).toEqual({ wanted: 2, reporting: 0 });
});

test('where it is said that there are none, reports that agents left count for nothing, and no policy speaks of them', () => {
  for (const [withoutAgents, reasons] of [
    [false, ['AgentsElsewhere']],
    [true, []],
  ] as const) {
    const world = new World('keepalive-system', { withoutAgents });
    for (const node of ['n1', 'n2']) report(world, node);
    const kind = 'ClusterKeepalivePolicy';
    const { metadata, spec } = {
      metadata: { name: 'cloud', uid: 'c', generation: 1 },
      spec: platformSpec(90),
    };
    world.clusterkeepalivepolicies.set('cloud', policyRecord(kind, { metadata, spec }));
    const occasion = { now: new Date(0), activatingForMs: 0, evidence: undefined };
    const { agentsMissing } = world.gather('cloud', occasion as never)?.facts ?? {};
    expect([world.agents, agentsMissing === undefined ? [] : [agentsMissing.reason]]).toEqual([
      withoutAgents ? undefined : { wanted: 2, reporting: 0 },
      reasons,
    ]);
  }
});
