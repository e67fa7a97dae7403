import { setTimeout as delay } from 'node:timers/promises';

import { resources } from '../../src/agent/resource.ts';
import type { Triple } from '../../src/api/triple.ts';
import { derive } from '../../src/api/derive.ts';
import { kernelDefaults } from '../../src/api/triple.ts';
import { AgentPod } from './agent-pod.ts';
import type { NodeCrowd } from './node-crowd.ts';
import type { Result } from './result.ts';
import { latencies } from './result.ts';

/** Each of them creates, changes and deletes the policy. */
const rounds = 20;
/** Between two events, so that one is over when the next comes. */
const paceMs = 500;
const roundsOfLoop = 3;

/** From a change of a policy to the last network namespace that holds what follows from it. */
export async function liveTimes(crowd: NodeCrowd, say: (text: string) => void): Promise<Result> {
  const agent = await AgentPod.find(crowd.cluster);
  await agent.untilItLooksAfter(crowd.size);
  const seen: Seen[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const event of eventsOn(crowd)) {
      seen.push(await observe(crowd, agent, event));
      await delay(paceMs);
    }
  }
  say('a loop over nsenter');
  const loop: number[] = [];
  for (let round = 0; round < roundsOfLoop; round += 1) loop.push(await loopOver(crowd));
  const ofRounds = seen.flatMap(({ roundMs }) => (roundMs === undefined ? [] : [roundMs]));
  return {
    bench: 'agent',
    setting: `a policy created, changed, deleted: until all three values of the last of ${crowd.size} network namespaces were seen to follow, by another process that looks each millisecond`,
    rows: [
      {
        what: 'from the event taken up to all read back, as the agent counts it',
        figures: latencies(ofRounds),
      },
      {
        what: "from the API server's answer to the last namespace",
        figures: latencies(seen.map(({ liveAt, answeredAt }) => liveAt - answeredAt)),
      },
      {
        what: 'from the request to the last namespace',
        figures: latencies(seen.map(({ liveAt, sentAt }) => liveAt - sentAt)),
      },
      { what: 'a loop over nsenter … sysctl -w', figures: latencies(loop) },
    ],
  };
}

interface Event {
  readonly send: () => Promise<unknown>;
  readonly then: Triple;
}

function eventsOn({ client, namespace }: NodeCrowd): Event[] {
  const target = { ...resources.keepalivepolicies, namespace };
  const name = 'behind-a-nat';
  const spec = (seconds: number) => ({
    podSelector: {},
    path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }],
  });
  const policy = {
    ...{ apiVersion: 'keepalive.dev/v1alpha1', kind: 'KeepalivePolicy', metadata: { name, namespace } },
    spec: spec(90),
  };
  const tripleOf = (seconds: number) => derive(seconds);
  return [
    { send: () => client.create(target, policy), then: tripleOf(90) },
    { send: () => client.patch({ ...target, name }, { spec: spec(45) }), then: tripleOf(45) },
    { send: () => client.delete({ ...target, name }), then: kernelDefaults },
  ];
}

/** Moments in milliseconds of one clock. */
interface Seen {
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly liveAt: number;
  /** As the agent counts it; undefined where it counted more than this one. */
  readonly roundMs: number | undefined;
}

async function observe(crowd: NodeCrowd, agent: AgentPod, { send, then }: Event): Promise<Seen> {
  const before = await agent.rounds();
  const sentAt = performance.now();
  const answered = send().then(() => performance.now());
  // Before the answer is here, it may have happened.
  const [answeredAt, liveAt] = await Promise.all([answered, crowd.untilAllHold(then)]);
  const after = await agent.roundsAfter(before.count);
  const roundMs = after.count === before.count + 1 ? (after.seconds - before.seconds) * 1000 : undefined;
  return { sentAt, answeredAt, liveAt, roundMs };
}

/** As a DaemonSet that is a shell script does it, which does not read back. It writes what is there: nobody asks for anything. */
async function loopOver({ host, sandboxes }: NodeCrowd): Promise<number> {
  const { timeSeconds, intervalSeconds, probes } = kernelDefaults;
  const values = { time: timeSeconds, intvl: intervalSeconds, probes };
  const writes = Object.entries(values).map(([key, value]) => `net.ipv4.tcp_keepalive_${key}=${value}`);
  const script = `while read -r pid; do nsenter -t "$pid" -n sysctl -qw ${writes.join(' ')}; done`;
  const stdin = sandboxes.map(({ pid }) => `${pid}\n`).join('');
  const startedAt = performance.now();
  await host.execOrThrow(['sh', '-c', script], { stdin, cwd: '/' });
  return performance.now() - startedAt;
}
