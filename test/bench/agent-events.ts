import { setTimeout as delay } from 'node:timers/promises';

import { resources } from '../../src/agent/resource.ts';
import { AgentPod } from './agent-pod.ts';
import type { NodeCrowd } from './node-crowd.ts';
import { figuresOver, measuredSeconds } from './process-figures.ts';
import type { Row } from './result.ts';

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
  const figures = await figuresOver(agent.pid);
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
