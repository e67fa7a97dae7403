import { setTimeout as delay } from 'node:timers/promises';

import product from '../../package.json' with { type: 'json' };
import { AGENT_NAME } from '../../src/api/group.ts';
import { Cluster } from '../cluster/cluster.ts';
import { partsAtRest } from './agent-parts.ts';
import { AgentPod, nodeProcessOf } from './agent-pod.ts';
import { figuresOver, measuredSeconds, memoryOf } from './process-figures.ts';
import type { Bench, Row } from './result.ts';

/** It has said all that it has to say at first, and given nothing back yet. */
const startedSeconds = 40;
/** It has given back what only its start needed, which it does after 65 s. */
const settledSeconds = 80;

/** Nothing to do: an agent that has just started, and Node processes in pods of the same image that do nothing at all. */
export async function atRest(cluster: Cluster, say: (text: string) => void): Promise<Row[]> {
  say(`memory and processor time at rest, over ${measuredSeconds} s`);
  const [bare, threaded] = await Promise.all([
    startBare(cluster, 'bare', 'setInterval(() => {}, 1e9)'),
    startBare(
      cluster,
      'threaded',
      `new (require('node:worker_threads').Worker)('setInterval(() => {}, 1e9)', { eval: true })`,
    ),
  ]);
  await cluster.kubectl('delete', 'pod', '-n', AGENT_NAME, '--all', '--wait');
  const agents = ['-n', AGENT_NAME, 'daemonset/keepalive-agent'];
  await cluster.kubectl('rollout', 'status', ...agents, '--timeout=120s');
  const agent = await AgentPod.find(cluster);
  await delay(startedSeconds * 1000);
  const started = memoryOf(agent.pid);
  await delay((settledSeconds - startedSeconds) * 1000);
  const [ofBare, ofThreaded, ofAgent] = await Promise.all(
    [bare, threaded, agent.pid].map((pid) => figuresOver(pid)),
  );
  await cluster.kubectl('delete', 'pod', 'bare', 'threaded', '--wait');
  return [
    { what: 'a bare Node process', figures: ofBare ?? {} },
    { what: 'the same with a second thread', figures: ofThreaded ?? {} },
    { what: `the agent, nothing to do, ${startedSeconds} s after its start`, figures: started },
    {
      what: 'the same, once it has given back what its start needed; its kubelet probes it',
      figures: ofAgent ?? {},
    },
  ];
}

/** That alone, without a node full of pods; and what it is made of. */
export const rest: Bench = async (say) => {
  const parts = await partsAtRest(say);
  const cluster = await Cluster.up({ name: 'bench-rest', owned: true });
  try {
    await cluster.install();
    const setting = `its pod on a node, Kubernetes ${cluster.kubernetes}; nothing is asked of it`;
    return [
      { bench: 'rest', setting, rows: await atRest(cluster, say) },
      { bench: 'rest', setting: 'Node processes of this machine, with parts of the agent', rows: parts },
    ];
  } finally {
    await cluster.down();
  }
};

async function startBare(cluster: Cluster, name: string, script: string): Promise<number> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: `keepalive.dev/keepalive-operator:${product.version}`,
          command: ['node', '-e', script],
        },
      ],
    },
  };
  await cluster.apply(JSON.stringify(pod));
  await cluster.kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=60s');
  return nodeProcessOf(await cluster.kubectl('get', 'pod', name, '-o', 'jsonpath={.metadata.uid}'));
}
