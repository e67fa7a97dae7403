import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import product from '../../package.json' with { type: 'json' };
import { resources } from '../../src/agent/resource.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { AgentPod, nodeProcessOf } from './agent-pod.ts';
import type { NodeCrowd } from './node-crowd.ts';
import type { Row } from './result.ts';

/** The garbage of starting up has had its time then. */
const settleSeconds = 30;
const measuredSeconds = 60;
const ticksPerSecond = 100;

/** Nothing to do: the agent, and a Node process in a pod of the same image that does nothing at all. */
export async function atRest(cluster: Cluster, say: (text: string) => void): Promise<Row[]> {
  say(`memory and processor time at rest, over ${measuredSeconds} s`);
  const bare = await startBare(cluster);
  const agent = await AgentPod.find(cluster);
  await delay(settleSeconds * 1000);
  const [ofBare, ofAgent] = await Promise.all([figuresOf(bare), figuresOf(agent.pid)]);
  await cluster.kubectl('delete', 'pod', 'bare', '--wait');
  return [
    { what: 'a bare Node process', figures: ofBare },
    { what: 'the agent, nothing to do; its kubelet probes it', figures: ofAgent },
  ];
}

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

async function startBare(cluster: Cluster): Promise<number> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bare', namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: `keepalive.dev/keepalive-operator:${product.version}`,
          command: ['node', '-e', 'setInterval(() => {}, 1e9)'],
        },
      ],
    },
  };
  await cluster.apply(JSON.stringify(pod));
  await cluster.kubectl('wait', 'pod/bare', '--for=condition=Ready', '--timeout=60s');
  return nodeProcessOf(await cluster.kubectl('get', 'pod', 'bare', '-o', 'jsonpath={.metadata.uid}'));
}

async function figuresOf(pid: number): Promise<Row['figures']> {
  const before = ticksOf(pid);
  const startedAt = performance.now();
  await delay(measuredSeconds * 1000);
  const seconds = (performance.now() - startedAt) / 1000;
  const share = (ticksOf(pid) - before) / ticksPerSecond / seconds;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return {
    'RSS MiB': mib('VmRSS'),
    'anonymous MiB': mib('RssAnon'),
    'peak RSS MiB': mib('VmHWM'),
    '% of a core': share * 100,
  };
}

/** Fields 14 and 15 of stat: what all its threads took of the processors. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
