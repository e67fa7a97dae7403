import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { ApiClient } from '../../src/kube/client.ts';
import { plain } from '../../src/kube/connection.ts';
import { createLog } from '../../src/ops/log.ts';
import { Cluster } from '../cluster/cluster.ts';
import { control } from '../cluster/addresses.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import type { Target } from '../../src/kube/resource.ts';
import type { Order } from './churn.ts';
import type { Size } from './crowd.ts';
import { nodeName, resourceOf, teamName } from './crowd.ts';
import type { Difference } from './expected.ts';
import { differences, dueIn, look } from './expected.ts';
import { Statuses } from './statuses.ts';

const system = 'keepalive-system';
/** Two cores take minutes to fill 5,000 nodes, and give them a few pods a second. */
const crowdMs = 1_800_000;
/** An agent has told what it found by then. */
const reportMs = 12_000;
/** What is due is counted anew so much later at the soonest: agents that had to find their API server again tell later than others. */
const recountMs = 30_000;
/** What Node gives itself in a container of 512 MiB, as the Deployment has it. */
export const heapMiB = 256;
const account = '/run/secrets/kubernetes.io/serviceaccount';

export interface Probe {
  readonly longestMs: number;
  readonly rss: number;
  readonly heap: number;
  readonly peak: number;
  readonly cpuS: number;
}

interface Said {
  readonly is: string;
  /** How long an agent had to wait for others that are played with it, at most. */
  readonly longestTurnMs?: number;
}

/** An API server with a crowd of nodes and pods, agents that are played, and the controller's own program. */
export class Stage {
  readonly cluster: Cluster;
  readonly client: ApiClient;
  readonly statuses = new Statuses();
  readonly #fleet: ChildProcess;
  readonly #said: Said[] = [];
  /** The oldest first. */
  readonly #controllers: ChildProcess[] = [];
  #starts = 0;
  #ranOutOfHeap = false;

  private constructor(cluster: Cluster, fleet: ChildProcess) {
    this.cluster = cluster;
    this.client = new ApiClient(plain('http://localhost', cluster.apiSocket));
    this.#fleet = fleet;
    if (fleet.stdout !== null)
      createInterface({ input: fleet.stdout }).on('line', (line) =>
        this.#said.push(JSON.parse(line) as Said),
      );
    fleet.stderr?.pipe(process.stderr);
  }

  /** Resolves when agents play on all nodes; `full` of them with watches of their own. `onFilled`: before the first of them begins. */
  static async up(
    name: string,
    size: Size & { readonly full: number },
    onFilled: (cluster: Cluster) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<Stage> {
    const cluster = await Cluster.up({ name, isBare: true, owned: true });
    await cluster.kubectl('apply', '-k', join(repository, 'deploy'));
    const fleet = cluster.spawn([
      process.execPath,
      join(import.meta.dirname, 'fleet.ts'),
      JSON.stringify(size),
    ]);
    const stage = new Stage(cluster, fleet);
    await stage.#giveAccount();
    await stage.#hear('declared', crowdMs);
    await onFilled(cluster);
    fleet.stdin?.write('\n');
    await stage.#hear('playing', crowdMs);
    await stage.statuses.follow(stage.client, createLog({ level: 'silent', base: {} }));
    return stage;
  }

  async down(): Promise<void> {
    this.#controllers.length = 0;
    this.statuses.close();
    await this.client.close();
    await this.cluster.down();
  }

  /**
   * Pods come and go, and connections with them; resolves when no pod does any more. Gives back how long an agent had to wait at most for
   * the others that one process plays, since the storm before: no real one does.
   */
  async storm(order: Order): Promise<number> {
    this.#fleet.stdin?.write(`${JSON.stringify(order)}\n`);
    return (await this.#hear('calm', crowdMs)).longestTurnMs ?? 0;
  }

  /** A namespace gets another label, by which cluster policies select. */
  async relabel(team: number): Promise<void> {
    const target = { ...resourceOf.namespaces, name: teamName(team) };
    const { metadata } = await this.client.get(target);
    const stage = metadata.labels?.stage === 'test' ? 'production' : 'test';
    await this.client.patch(target, { metadata: { labels: { stage } } });
  }

  /** A node goes to another pool, by whose label cluster policies select nodes. */
  async moveNode(index: number): Promise<void> {
    const target = { ...resourceOf.nodes, name: nodeName(index) };
    const { metadata } = await this.client.get(target);
    const pool = metadata.labels?.pool === 'pool-0' ? 'pool-1' : 'pool-0';
    await this.client.patch(target, { metadata: { labels: { pool } } });
  }

  /** Its path forgets after other seconds from now on; gives back its new generation. */
  async edit(policy: Target & { name: string }, idleTimeoutSeconds: number): Promise<number> {
    const path = [{ name: 'nat', type: 'NAT', idleTimeoutSeconds }];
    return (await this.client.patch(policy, { spec: { path } })).metadata.generation ?? 0;
  }

  /**
   * As its pod would start it: with the rights of its account, the heap that Node gives itself there, and no kubeconfig; beside the one that
   * runs. `folder`: where its repository is, that of another version for instance.
   */
  startController(folder = repository): void {
    const probe = join(import.meta.dirname, 'step-probe.ts');
    const controller = this.cluster.spawn(
      [
        ...[process.execPath, `--max-old-space-size=${heapMiB}`, '--import', probe],
        ...[join(folder, 'dist/main.mjs'), 'controller'],
      ],
      {
        env: {
          ...{ KUBECONFIG: '', KUBERNETES_SERVICE_HOST: control.v4, KUBERNETES_SERVICE_PORT: '6443' },
          ...{ POD_NAME: `storm-${(this.#starts += 1)}`, POD_NAMESPACE: system, LOG_LEVEL: 'warn' },
          ...{ NODE_ENV: 'production', MALLOC_ARENA_MAX: '1', METRICS_ADDRESS: '127.0.0.1:0' },
          KEEPALIVE_PROBE: this.#probeSocket,
        },
      },
    );
    controller.stderr?.pipe(process.stderr);
    controller.stderr?.on(
      'data',
      (text: Buffer) => (this.#ranOutOfHeap ||= text.includes('heap out of memory')),
    );
    controller.stdout?.resume();
    this.#controllers.push(controller);
    // As its kubelet does.
    controller.once('exit', () => {
      const at = this.#controllers.indexOf(controller);
      if (at === -1) return;
      this.#controllers.splice(at, 1);
      this.startController(folder);
    });
  }

  /** The oldest: at once, as a node that loses power would; or so that it can hand over. */
  async stopController(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#controllers.shift();
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await this.cluster.exec(['pkill', `-${signal.slice(3)}`, '-o', '-f', 'main.mjs controller']);
    await ended;
  }

  /** How often one was started, by a test or because it had ended by itself. */
  get starts(): number {
    return this.#starts;
  }

  /** One of them did, as V8 says when it ends a process for it. */
  get ranOutOfHeap(): boolean {
    return this.#ranOutOfHeap;
  }

  get #probeSocket(): string {
    return join(this.cluster.lab.folder, `probe-${this.#starts}.sock`);
  }

  /** Of the controller that was started last, since it was asked last; `collected`: once nothing is in memory that nobody refers to. */
  probe({ collected = false } = {}): Promise<Probe> {
    const asked = { socketPath: this.#probeSocket, host: 'localhost', path: collected ? '/collected' : '/' };
    return new Promise((resolve, reject) => {
      const call = request(asked, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.once('end', () => {
          resolve(JSON.parse(text) as Probe);
        });
      });
      call.once('error', reject).end();
    });
  }

  /** Each node has told something. */
  async untilTold(): Promise<void> {
    await this.#hear('told', crowdMs);
  }

  /** What each status has to be as long as nothing moves; resolves once agents tell nothing new any more. */
  async due(timeoutMs: number): Promise<ReadonlyMap<string, object>> {
    let last: ReadonlyMap<string, object> = new Map();
    const isSame = async () => {
      const now = dueIn(await look(this.client));
      if (isDeepStrictEqual(now, last)) return true;
      last = now;
      return false;
    };
    await until('agents have told everything', isSame, { timeoutMs, everyMs: reportMs });
    return last;
  }

  /**
   * Every status is what a plain count of everything gives, which is made once where agents have told everything by then; gives back when
   * the last one was written. Throws the first differences where they stay.
   */
  async untilRight(timeoutMs: number): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      await delay(reportMs);
      const countedAt = performance.now();
      const due = dueIn(await look(this.client));
      const patienceMs = Math.max(recountMs, 10 * (performance.now() - countedAt));
      const leftMs = Math.max(0, deadline - performance.now());
      try {
        await this.statuses.untilAre(due, Math.min(patienceMs, leftMs));
      } catch (error) {
        if (performance.now() < deadline) continue;
        await this.#tellDifferences(error);
      }
      return this.statuses.lastWriteAt;
    }
  }

  async #tellDifferences(cause: unknown): Promise<void> {
    const left: Difference[] = differences(await look(this.client));
    if (left.length === 0) return;
    const some = JSON.stringify(left.slice(0, 3).map(apart), undefined, 1).slice(0, 6000);
    throw new Error(`${left.length} statuses differ from the plain count: ${some}`, { cause });
  }

  /** What the kubelet puts into a pod. */
  async #giveAccount(): Promise<void> {
    const token = await this.cluster.kubectl(
      ...['create', 'token', 'keepalive-controller', '-n', system, '--duration=12h'],
    );
    const folder = join(this.cluster.lab.folder, 'account');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'token'), token);
    const ca = join(this.cluster.lab.folder, 'pki', 'ca.crt');
    const { code, stderr } = await this.cluster.exec([
      ...['sh', '-c', `mkdir -p ${account} && cp ${folder}/token ${ca} ${account}/`],
    ]);
    if (code !== 0) throw new Error(`the account of the controller cannot be given: ${stderr}`);
  }

  /** Takes what was said out of what is left to be heard. */
  async #hear(is: string, timeoutMs: number): Promise<Said> {
    return until(
      `the fleet is ${is}`,
      () => {
        if (this.#fleet.exitCode !== null) throw new Error(`the fleet ended with ${this.#fleet.exitCode}`);
        const at = this.#said.findIndex((one) => one.is === is);
        return at === -1 ? undefined : this.#said.splice(at, 1)[0];
      },
      { timeoutMs, everyMs: 50 },
    );
  }
}

/** Of two lists only what is in one of them alone. */
function apart({ policy, told, expected }: Difference): object {
  const lists = (side: object) => Object.entries(side) as [string, unknown][];
  const alone = (one: object, other: object) =>
    Object.fromEntries(
      lists(one).map(([name, value]) => {
        const there = Object.fromEntries(lists(other))[name];
        if (!Array.isArray(value) || !Array.isArray(there)) return [name, value];
        return [name, value.filter((item) => !there.some((same) => isDeepStrictEqual(same, item)))];
      }),
    );
  return { policy, told: alone(told, expected), expected: alone(expected, told) };
}
