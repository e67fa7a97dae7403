import { AGENT_NAME } from '../../src/api/group.ts';
import { get } from '../cluster/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { processesIn } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';

interface Rounds {
  readonly count: number;
  readonly seconds: number;
}

/** The agent of the one node there is: its pod, its process, and what it tells of itself. */
export class AgentPod {
  readonly name: string;
  readonly pid: number;
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster, name: string, pid: number) {
    this.#cluster = cluster;
    this.name = name;
    this.pid = pid;
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
    return new AgentPod(cluster, name, nodeProcessOf(uid));
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
