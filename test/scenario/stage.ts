import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { PolicyStatus } from '../../src/api/status.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { DirectorOptions } from '../cluster/director.ts';
import { Director } from '../cluster/director.ts';
import type { Host } from '../cluster/host.ts';
import { toolsImage } from '../cluster/image.ts';
import type { Nat, NatOptions } from '../cluster/router.ts';
import { startNat } from '../cluster/router.ts';
import { until } from '../cluster/wait.ts';
import type { Cell } from './cell.ts';
import type { Course } from './scenario.ts';
import { documentsOf } from '../support/manifest.ts';

interface Policy {
  readonly metadata: { readonly generation: number };
  readonly status?: PolicyStatus;
}

export interface StageOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where the clients' pods run; wherever there is room unless told otherwise. */
  readonly node?: string | undefined;
  /** How many times longer than usual a pod may take to start, and a client to connect: a node under emulation is slow. */
  readonly patience?: number | undefined;
}

/** Where a scenario is played: a cluster, a namespace in it, and hosts beside it. */
export class Stage {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly signal: AbortSignal | undefined;
  readonly patience: number;
  readonly #node: string | undefined;
  readonly #undo: (() => Promise<unknown>)[] = [];

  /** Everything on it is named after the scenario. */
  constructor(cluster: Cluster, namespace: string, { signal, node, patience = 1 }: StageOptions) {
    this.cluster = cluster;
    this.namespace = namespace;
    this.signal = signal;
    this.patience = patience;
    this.#node = node;
  }

  /** What is to be undone in the end, the latest first. */
  onClear(step: () => Promise<unknown>): void {
    this.#undo.push(step);
  }

  /** Undoes everything, whatever fails on the way; then throws the first failure. */
  async clear(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#undo.splice(0).reverse()) {
      await step().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  /** A NAT as startNat makes it; its hosts get the scenario's name in front of theirs. */
  async nat(options: NatOptions): Promise<Nat> {
    const { outside } = options;
    const nat = await startNat(this.cluster.lab, {
      ...options,
      name: this.#own(options.name),
      ...(outside === undefined ? {} : { outside: this.#own(outside) }),
    });
    this.onClear(async () => {
      await nat.stop();
      if (outside !== undefined) await nat.outside.stop();
    });
    return nat;
  }

  /** An IPVS director, likewise; it is still to be booted. */
  async director({ name, outside }: DirectorOptions): Promise<Director> {
    const own = { name: this.#own(name), outside: this.#own(outside) };
    const director = await Director.wire(this.cluster.lab, own);
    this.onClear(async () => {
      await director.stop();
      await director.outside.stop();
    });
    return director;
  }

  /** A host of the lab that stands on this stage. */
  async host(name: string): Promise<Host> {
    const host = await this.cluster.lab.host(this.#own(name));
    this.onClear(() => host.stop());
    return host;
  }

  /** Starts a server that goes on until its host ends, and waits until it listens. */
  async serve(host: Host, argv: readonly string[], port: number): Promise<void> {
    const logFile = join(this.cluster.lab.folder, 'log', `${host.name}-${port}.log`);
    await host.start(argv, { logFile });
    await until(`port ${port} of ${host.name} is served; its log is ${logFile}`, async () => {
      const listening = await host.exec(['ss', '-Hltn', `sport = :${port}`]);
      return listening.stdout !== '';
    });
  }

  /** A folder for configuration files, which the hosts see as well. */
  folder(name: string): string {
    const folder = join(this.cluster.lab.folder, 'scenario', this.#own(name));
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    return folder;
  }

  async openNamespace(): Promise<void> {
    // That of a performance before may still be going, and takes in nothing new.
    const isGone = async () =>
      (await this.cluster.exec(['kubectl', 'get', 'namespace', this.namespace])).code !== 0;
    const patience = { timeoutMs: 60_000 * this.patience, everyMs: 200 };
    await until('no namespace of that name is there', isGone, patience);
    await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } });
    this.onClear(() => this.cluster.kubectl('delete', 'namespace', this.namespace, '--wait=false'));
    await until('the namespace has its service account', async () => {
      const found = await this.cluster.exec(['kubectl', 'get', 'sa', 'default', '-n', this.namespace]);
      return found.code === 0;
    });
  }

  /** Pods whose clients are started in them later; resolves when they run. */
  async startPods(
    pods: readonly { name: string; network: Cell['network'] }[],
    image = toolsImage,
  ): Promise<void> {
    await this.apply(...pods.map(({ name, network }) => this.#pod(name, network, image)));
    const names = pods.map(({ name }) => `pod/${name}`);
    await this.cluster.kubectl(
      ...[
        'wait',
        '-n',
        this.namespace,
        ...names,
        '--for=condition=Ready',
        `--timeout=${60 * this.patience}s`,
      ],
    );
  }

  /**
   * What was open before the policy has keepalive, by what its status says. Only where a node is so slow that its agent takes longer for it
   * than what stands between remembers: anywhere else that is shown along with the rest.
   */
  async untilRepaired(open: number): Promise<void> {
    if (this.patience === 1) return;
    await this.#untilPolicy('tells of no exposed connection', ({ connections }) => {
      return connections !== undefined && connections.established >= open && connections.exposed === 0;
    });
  }

  /** Every pod of the stage is live, by what the status of the policy says: its agent has taken note of each. There likewise. */
  async untilLive(): Promise<void> {
    if (this.patience === 1) return;
    const pods = await this.cluster.kubectl('get', 'pods', '-n', this.namespace, '-o', 'name');
    const count = pods.trim().split('\n').length;
    await this.#untilPolicy('tells that all pods are live', (status) => (status.pods?.live ?? 0) >= count);
  }

  /** One policy for all: the pods of the namespace, and the nodes for their host network. Its status once it is Ready. */
  async applyPolicy(path: Course['path']): Promise<PolicyStatus> {
    await this.apply({
      apiVersion: 'keepalive.dev/v1alpha1',
      kind: 'ClusterKeepalivePolicy',
      metadata: { name: this.namespace },
      spec: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': this.namespace } },
        podSelector: {},
        nodes: { selector: {} },
        openConnections: 'Repair',
        path,
      },
    });
    this.onClear(() => this.cluster.kubectl('delete', 'ckap', this.namespace));
    return this.#untilPolicy('is Ready', ({ conditions }, generation) => {
      const ready = conditions?.find(({ type }) => type === 'Ready');
      return ready?.status === 'True' && ready.observedGeneration === generation;
    });
  }

  #untilPolicy(
    what: string,
    holds: (status: PolicyStatus, generation: number) => boolean,
  ): Promise<PolicyStatus> {
    return until(
      `policy ${this.namespace} ${what}`,
      async () => {
        const policy = await this.cluster.kubectl('get', 'ckap', this.namespace, '-o', 'json');
        const { metadata, status } = JSON.parse(policy) as Policy;
        return status !== undefined && holds(status, metadata.generation) && status;
      },
      { signal: this.signal, everyMs: 100, timeoutMs: 60_000 * this.patience },
    );
  }

  async apply(...objects: readonly unknown[]): Promise<void> {
    await this.cluster.apply(documentsOf(objects));
  }

  #pod(name: string, network: Cell['network'], image: string): unknown {
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: this.namespace },
      spec: {
        hostNetwork: network === 'host',
        ...(this.#node === undefined ? {} : { nodeName: this.#node }),
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'clients', image, imagePullPolicy: 'Never', command: ['sleep', 'infinity'] }],
      },
    };
  }

  #own(name: string): string {
    return `${this.namespace}-${name}`;
  }
}
