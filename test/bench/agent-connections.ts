import { setTimeout as delay } from 'node:timers/promises';

import { AGENT_NAME } from '../../src/api/group.ts';
import { derive } from '../../src/api/derive.ts';
import { resources } from '../../src/agent/resource.ts';
import { socketProcessName } from '../../src/agent/connections/socket-child.ts';
import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { AgentPod } from './agent-pod.ts';
import { hold } from './held-connections.ts';
import { NodeCrowd } from './node-crowd.ts';
import { figuresOver, memoryOf } from './process-figures.ts';
import type { Result, Row } from './result.ts';

const pods = 250;
/** Of each pod, which has both ends of each: 10,000 sockets, and with the further ones 100,000. */
const connections = { first: 20, further: 180 };
const furtherPort = 7001;
const sockets = pods * connections.first * 2;
const manySockets = sockets + pods * connections.further * 2;
/** Each so much shorter than the one before that no share of what was given is enough for it: every connection has to be given other values. */
const timeouts = [90, 30, 11] as const;
/** Networks may be swept again by then, since sweeps have a tenth of a core. */
const betweenMs = 15_000;
/** The process that sweeps has ended by then, if nobody asks it for more. */
const settledMs = 75_000;
/** Counts of many are up to two minutes apart. */
const overSeconds = { usual: 60, many: 240 };

/** As CONNECTIONS has it. */
type Way = 'Auto' | 'Descriptors';
const named: Readonly<Record<Way, string>> = { Auto: 'by the kernel', Descriptors: 'by descriptors' };

/** Descriptors lead to those that listen as well, one of each pod, and give them values too. */
const listeners: Readonly<Record<Way, number>> = { Auto: 0, Descriptors: pods };

/** What the real agent of a real node makes of open connections of 250 pods: how soon, by the clock, and what its processes take. */
export async function agentWithConnections(say: (text: string) => void): Promise<Result[]> {
  const all = [await measure('Auto', say), await measure('Descriptors', say)];
  const setting = `the pod of an agent on a node with ${pods} pods, ${sockets} sockets open before the policy`;
  return [
    {
      bench: 'sockets',
      setting: `${setting}: from the write of the policy to what the agent logs of the last of them, by the clock`,
      rows: all.flatMap(({ times }) => times),
    },
    {
      bench: 'sockets',
      setting: `${setting}: memory of its processes, and their share of a core over ${overSeconds.usual} s, of ${manySockets} sockets over ${overSeconds.many} s`,
      rows: all.flatMap(({ resources: rows }) => rows),
    },
  ];
}

async function measure(way: Way, say: (text: string) => void): Promise<Record<'times' | 'resources', Row[]>> {
  const cluster = await Cluster.up({ name: 'bench-sockets', owned: true });
  try {
    await cluster.install();
    const daemonSet = ['-n', AGENT_NAME, 'daemonset/keepalive-agent'];
    await cluster.kubectl('set', 'env', ...daemonSet, `CONNECTIONS=${way}`);
    await cluster.kubectl('rollout', 'status', ...daemonSet, '--timeout=300s');
    await requireWay(cluster, way);
    say(`the agent, ${named[way]}: ${pods} pods with ${sockets} sockets`);
    const crowd = await NodeCrowd.gather(cluster);
    try {
      return await measureIn(crowd, way, say);
    } finally {
      await crowd.close();
    }
  } finally {
    await cluster.down();
  }
}

async function requireWay(cluster: Cluster, way: Way): Promise<void> {
  const countedBy = ['nodekeepalives', '-o', 'jsonpath={.items[0].status.connections.countedBy}'];
  const wanted = way === 'Auto' ? 'BPF' : 'Descriptors';
  const seen = await until('the agent says how it counts', async () => {
    return (await cluster.kubectl('get', ...countedBy)) || undefined;
  });
  if (seen !== wanted) throw new Error(`connections are counted by ${seen} here, and not by ${wanted}`);
}

async function measureIn(
  crowd: NodeCrowd,
  way: Way,
  say: (text: string) => void,
): Promise<Record<'times' | 'resources', Row[]>> {
  await crowd.grow(pods);
  await hold(crowd.host, crowd.sandboxes, { connections: connections.first });
  const agent = await AgentPod.find(crowd.cluster);
  await agent.untilItLooksAfter(crowd.size);
  const about = (what: string) => `${named[way]}: ${what}`;
  const before = await resourcesOf(agent, about('nothing is asked'), overSeconds.usual);
  say('the first policy');
  const [first, ...others] = timeouts;
  const times: Row[] = [
    {
      what: about('a first policy'),
      figures: { ms: await given(crowd, agent, { way, timeout: first }), timeout: first },
    },
  ];
  await delay(settledMs);
  const few = await resourcesOf(agent, about(`${sockets} sockets`), overSeconds.usual);
  for (const timeout of others) {
    await delay(betweenMs);
    const ms = await given(crowd, agent, { way, timeout });
    times.push({ what: about('it tightens'), figures: { ms, timeout } });
  }
  await crowd.client.delete(policyOf(crowd));
  await create(crowd, first);
  say(`${manySockets} sockets`);
  await hold(crowd.host, crowd.sandboxes, { connections: connections.further, port: furtherPort });
  await delay(2 * settledMs);
  const many = await resourcesOf(agent, about(`${manySockets} sockets`), overSeconds.many);
  return { times, resources: [...before, ...few, ...many] };
}

/** Of all its processes, with its own memory; and the memory of the one that looks at sockets or sweeps, where there is one at first. */
async function resourcesOf(agent: AgentPod, what: string, seconds: number): Promise<Row[]> {
  const looker = agent.processNamed(socketProcessName);
  const ofLooker =
    looker === undefined
      ? []
      : [{ what: `${what}, the process that looks at them`, figures: memoryOf(looker) }];
  return [{ what, figures: await figuresOver(agent.pid, seconds) }, ...ofLooker];
}

const name = 'behind-a-nat';
const policyOf = ({ namespace }: NodeCrowd) => ({ ...resources.keepalivepolicies, namespace, name });
const specOf = (seconds: number) => ({
  podSelector: {},
  path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }],
});

function create({ client, namespace }: NodeCrowd, seconds: number): Promise<unknown> {
  const identity = { apiVersion: 'keepalive.dev/v1alpha1', kind: 'KeepalivePolicy' };
  const policy = { ...identity, metadata: { name, namespace }, spec: specOf(seconds) };
  return client.create({ ...resources.keepalivepolicies, namespace }, policy);
}

/** Milliseconds until the last connection that is open has what this timeout asks for. */
async function given(
  crowd: NodeCrowd,
  agent: AgentPod,
  { way, timeout }: { readonly way: Way; readonly timeout: number },
): Promise<number> {
  const sentAt = Date.now();
  if (timeout === timeouts[0]) await create(crowd, timeout);
  else await crowd.client.patch(policyOf(crowd), { spec: specOf(timeout) });
  const lastAt = await until(
    'all connections are given values',
    async () => {
      const words = (await agent.log()).filter((word) => word.sockets !== undefined && word.at >= sentAt);
      const count = words.reduce((sum, word) => sum + (word.sockets ?? 0), 0);
      return count >= sockets + listeners[way] && Math.max(...words.map(({ at }) => at));
    },
    { timeoutMs: 300_000, everyMs: 500 },
  );
  await requireArmed(crowd, derive(timeout).timeSeconds);
  return lastAt - sentAt;
}

/** Whatever the agent says of it: each has a timer of keepalive that expires in time, by the kernel's own table. */
async function requireArmed({ host, sandboxes }: NodeCrowd, timeSeconds: number): Promise<void> {
  const script = `while read -r pid; do cat /proc/$pid/net/tcp; done | awk '$4 == "01" { print $6 }'`;
  const stdin = sandboxes.map(({ pid }) => `${pid}\n`).join('');
  const timers = (await host.execOrThrow(['sh', '-c', script], { stdin, cwd: '/' })).trim().split('\n');
  const armed = timers.filter((timer) => isKeepaliveWithin(timer, timeSeconds)).length;
  if (timers.length !== sockets || armed !== sockets)
    throw new Error(
      `of ${timers.length} connections ${armed} speak within ${timeSeconds} s, and not ${sockets}`,
    );
}

/** `02:00000BB8`: keepalive's, and ticks of 10 ms until it expires. */
function isKeepaliveWithin(timer: string, seconds: number): boolean {
  const [kind, ticks = ''] = timer.split(':');
  return kind === '02' && parseInt(ticks, 16) / 100 <= seconds;
}
