import { AGENT_NAME } from '../../src/api/group.ts';
import { get } from '../cluster/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { processesIn } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';

interface Rounds {
  readonly count: number;
  readonly seconds: number;
}

/** A line of its log. */
export interface Word {
  /** Milliseconds, as Date.now tells them. */
  readonly at: number;
  /** How many were given values. */
  readonly sockets?: number;
}

/** The agent of the one node there is: its pod, its process, and what it tells of itself. */
export class AgentPod {
  readonly name: string;
  readonly pid: number;
  readonly #cluster: Cluster;
  readonly #uid: string;

  private constructor(cluster: Cluster, name: string, uid: string) {
    this.#cluster = cluster;
    this.name = name;
    this.#uid = uid;
    this.pid = nodeProcessOf(uid);
  }

  static async find(cluster: Cluster): Promise<AgentPod> {
    const path = [
      'pods',
      '-n',
      AGENT_NAME,
      '-o',
      'jsonpath={.items[0].metadata.name} {.items[0].metadata.uid}',
    ];
    const [name = '', uid = ''] = (await cluster.kubectl('get', ...path)).split(' ');
    return new AgentPod(cluster, name, uid);
  }

  /** One of its own beside {@link pid}, by what it calls itself; undefined while there is none. */
  processNamed(title: string): number | undefined {
    return processesIn(this.#uid).find(({ argv }) => argv[0] === title)?.pid;
  }

  /** What it wrote, as the node keeps it: its kubelet may not be there to be asked. */
  async log(): Promise<Word[]> {
    const files = `/var/log/pods/*_${this.#uid}/agent/*.log`;
    const text = await this.#cluster.onNode('n1', `cat ${files}`);
    return text.split('\n').flatMap((line) => {
      const [, json] = /^\S+ stdout F (\{.*)$/.exec(line) ?? [];
      if (json === undefined) return [];
      const { time, sockets } = JSON.parse(json) as { time: string; sockets?: number };
      return [{ at: Date.parse(time), ...(sockets === undefined ? {} : { sockets }) }];
    });
  }

  /** With the node's own. */
  async untilItLooksAfter(pods: number): Promise<void> {
    await until('the agent looks after the pods', async () => {
      const text = await this.#metrics();
      return figure(text, 'keepalive_agent_network_namespaces') > pods;
    });
  }

  async rounds(): Promise<Rounds> {
    const text = await this.#metrics();
    return {
      count: figure(text, 'keepalive_agent_round_seconds_count'),
      seconds: figure(text, 'keepalive_agent_round_seconds_sum'),
    };
  }

  /** A round is counted a moment after the kernel holds what it brought. */
  async roundsAfter(count: number): Promise<Rounds> {
    return until('the agent has counted the round', async () => {
      const now = await this.rounds();
      return now.count > count && now;
    });
  }

  async #metrics(): Promise<string> {
    const path = `/api/v1/namespaces/${AGENT_NAME}/pods/${this.name}:8080/proxy/metrics`;
    const { status, body } = await get(this.#cluster.apiSocket, path);
    if (status !== 200) throw new Error(`the agent's metrics cannot be read: ${status} ${body}`);
    return body;
  }
}

/** The process of a pod that Node runs in. */
export function nodeProcessOf(uid: string): number {
  const found = processesIn(uid).find(({ argv }) => argv[0]?.endsWith('node') === true);
  if (found === undefined) throw new Error(`no Node process runs in pod ${uid}`);
  return found.pid;
}

function figure(text: string, name: string): number {
  return Number(new RegExp(`^${name}(?:{[^}]*})? (.*)$`, 'm').exec(text)?.[1] ?? 0);
}
