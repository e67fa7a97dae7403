import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import product from '../../package.json' with { type: 'json' };
import { resources } from '../../src/agent/resource.ts';
import { AGENT_NAME } from '../../src/api/group.ts';
import { Cluster } from '../cluster/cluster.ts';
import { AgentPod, nodeProcessOf } from './agent-pod.ts';
import type { NodeCrowd } from './node-crowd.ts';
import type { Bench, Row } from './result.ts';

/** It has said all that it has to say at first, and given nothing back yet. */
const startedSeconds = 40;
/** It has given back what only its start needed, which it does after 65 s. */
const settledSeconds = 80;
const measuredSeconds = 60;
const ticksPerSecond = 100;

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
  const [ofBare, ofThreaded, ofAgent] = await Promise.all([bare, threaded, agent.pid].map(figuresOf));
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

/** That alone, without a node full of pods. */
export const rest: Bench = async (say) => {
  const cluster = await Cluster.up({ name: 'bench-rest', owned: true });
  try {
    await cluster.install();
    const setting = `its pod on a node, Kubernetes ${cluster.kubernetes}; nothing is asked of it`;
    return [{ bench: 'rest', setting, rows: await atRest(cluster, say) }];
  } finally {
    await cluster.down();
  }
};

/** One change of a policy a second, each of which gives every pod of the node other values. */
export async function underEvents(crowd: NodeCrowd, say: (text: string) => void): Promise<Row> {
  say(`memory and processor time with an event a second, over ${measuredSeconds} s`);
  const agent = await AgentPod.find(crowd.cluster);
  const target = { ...resources.keepalivepolicies, namespace: crowd.namespace };
  const name = 'steady';
  const spec = (seconds: number) => ({
    podSelector: {},
    path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }],
  });
  const identity = { apiVersion: 'keepalive.dev/v1alpha1', kind: 'KeepalivePolicy' };
  await crowd.client.create(target, { ...identity, metadata: { name }, spec: spec(90) });
  const stop = new AbortController();
  const events = everySecond(stop.signal, (count) =>
    crowd.client.patch({ ...target, name }, { spec: spec(count % 2 === 0 ? 60 : 90) }),
  );
  const figures = await figuresOf(agent.pid);
  stop.abort();
  await events;
  await crowd.client.delete({ ...target, name });
  return {
    what: `the agent, ${crowd.size} pods, every second a policy gives all of them other values`,
    figures,
  };
}

async function everySecond(signal: AbortSignal, act: (count: number) => Promise<unknown>): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    await act(count);
    await delay(1000, undefined, { signal }).catch(() => undefined);
  }
}

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

async function figuresOf(pid: number): Promise<Row['figures']> {
  const before = ticksOf(pid);
  const startedAt = performance.now();
  await delay(measuredSeconds * 1000);
  const seconds = (performance.now() - startedAt) / 1000;
  const share = (ticksOf(pid) - before) / ticksPerSecond / seconds;
  return { ...memoryOf(pid), '% of a core': share * 100 };
}

function memoryOf(pid: number): Row['figures'] {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { 'RSS MiB': mib('VmRSS'), 'anonymous MiB': mib('RssAnon'), 'peak RSS MiB': mib('VmHWM') };
}

/** Fields 14 and 15 of stat: what all its threads took of the processors. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
