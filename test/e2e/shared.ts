import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { control } from '../cluster/addresses.ts';
import { get, post } from '../cluster/api.ts';
import { Cluster } from '../cluster/cluster.ts';
import type { Output } from '../cluster/command.ts';
import { labSettings } from '../cluster/install.ts';
import { repository } from '../cluster/place.ts';
import type { Patience } from '../cluster/wait.ts';
import { until } from '../cluster/wait.ts';
import type { NodeKeepaliveStatus } from '../../src/api/node-keepalive.ts';
import type { Condition, PolicyStatus } from '../../src/api/status.ts';
import type { Sysctl } from '../../src/policy/sysctl.ts';
import { documentsOf } from '../support/manifest.ts';

/** KEEPALIVE_CLUSTER names one that runs already, with the product installed: while one writes a test, starting takes longest. */
export const RUNNING_CLUSTER = process.env.KEEPALIVE_CLUSTER;
/** Each clone has one of its own, so that two can be tested at once. */
export const SHARED_CLUSTER =
  RUNNING_CLUSTER ?? `e2e-${createHash('sha256').update(repository).digest('hex').slice(0, 4)}`;
/** What a network namespace starts with. */
export const untouched = '7200/75/9';

/** The cluster that setup.ts started. */
export function sharedCluster(): Cluster {
  const cluster = Cluster.find(SHARED_CLUSTER);
  if (cluster === undefined)
    throw new Error('the shared cluster is not running: run this by `npm run test:e2e`');
  return cluster;
}

export interface PolicyObject {
  readonly metadata: {
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
  };
  readonly spec: Record<string, unknown>;
  readonly status?: PolicyStatus;
}

/** `kap db/behind-the-nat`, or `ckap cloud`. */
export interface PolicyName {
  readonly kind: 'kap' | 'ckap';
  readonly name: string;
  readonly namespace?: string;
}

/** As much of a pod as says where it is to be made. */
interface Pod {
  readonly metadata: { readonly namespace: string };
  readonly spec: object;
}

/** What a test does with the cluster, in the words of its user. */
export class Bench {
  readonly cluster: Cluster;
  /** How many times longer than usual everything may take: a node under emulation is slow. */
  readonly patience: number;

  constructor(cluster = sharedCluster(), { patience = 1 } = {}) {
    this.cluster = cluster;
    this.patience = patience;
  }

  /** As `until` of the lab, for as long as this bench is patient. */
  until<T>(
    what: string,
    holds: () => T | undefined | false | Promise<T | undefined | false>,
    { timeoutMs = 60_000, ...patience }: Patience = {},
  ): Promise<T> {
    return until(what, holds, { ...patience, timeoutMs: timeoutMs * this.patience });
  }

  /** A fresh namespace, with the service account that pods wait for. */
  async namespace(name: string, labels: Record<string, string> = {}): Promise<string> {
    await this.cluster.apply(
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }),
    );
    await until(`${name} has its service account`, () =>
      this.exists('serviceaccount', '-n', name, 'default'),
    );
    return name;
  }

  async exists(...args: string[]): Promise<boolean> {
    return (await this.cluster.exec(['kubectl', 'get', ...args])).code === 0;
  }

  /** What kubectl says to whoever has only this token. */
  askAs(token: string, stdin: string | undefined, ...args: readonly string[]): Promise<Output> {
    const ca = join(this.cluster.lab.folder, 'pki/ca.crt');
    const server = [`--server=https://${control.v4}:6443`, `--certificate-authority=${ca}`];
    return this.cluster.exec(['kubectl', `--token=${token}`, ...server, ...args], {
      env: { KUBECONFIG: '/dev/null' },
      ...(stdin === undefined ? {} : { stdin }),
    });
  }

  /** Standard error of a `kubectl apply` that must be refused. */
  async refusal(manifest: unknown, ...flags: string[]): Promise<string> {
    const { stderr, code } = await this.cluster.exec(['kubectl', 'apply', '-f', '-', ...flags], {
      stdin: JSON.stringify(manifest),
    });
    if (code === 0) throw new Error(`accepted, though it should be refused: ${JSON.stringify(manifest)}`);
    return stderr;
  }

  /** What `kubectl apply` warns of, though it takes the object; nothing is stored. */
  async warnings(manifest: unknown): Promise<string> {
    const { stderr, code } = await this.cluster.exec(['kubectl', 'apply', '--dry-run=server', '-f', '-'], {
      stdin: JSON.stringify(manifest),
    });
    if (code !== 0) throw new Error(stderr);
    return stderr;
  }

  async apply(...objects: readonly unknown[]): Promise<void> {
    await this.cluster.apply(documentsOf(objects));
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.cluster.kubectl('get', ...args, '-o', 'json')) as T;
  }

  /** Keys of the cluster's settings; `null` takes one out. */
  async settings(data: Readonly<Record<string, string | null>>): Promise<void> {
    const configMap = ['configmap', 'keepalive-settings', '-n', 'keepalive-system'];
    await this.cluster.kubectl('patch', ...configMap, '--type=merge', '-p', JSON.stringify({ data }));
  }

  /** As they are shipped, or as the lab has them. */
  async resetSettings(to: 'shipped' | 'lab'): Promise<void> {
    await this.cluster.kubectl('apply', '-f', join(repository, 'deploy/settings.yaml'));
    await this.settings({ acting: null, ...(to === 'lab' ? labSettings : {}) });
  }

  policy({ kind, name, namespace }: PolicyName): Promise<PolicyObject> {
    const path = { kap: `namespaces/${namespace}/keepalivepolicies`, ckap: 'clusterkeepalivepolicies' }[kind];
    return this.#read(`/apis/keepalive.dev/v1alpha1/${path}/${name}`);
  }

  /** What is asked again and again is not asked by kubectl, which takes the processor from whom it waits for. */
  async #read<T>(path: string): Promise<T> {
    const { status, body } = await get(this.cluster.apiSocket, path);
    if (status !== 200) throw new Error(`${path}: the API server says ${status} ${body}`);
    return JSON.parse(body) as T;
  }

  /** Waits until the status speaks of the present spec and `holds`; gives it back. */
  async status(
    name: PolicyName,
    holds: (status: PolicyStatus) => boolean = isReady,
    // Counts that move by themselves are written once a minute at most.
    timeoutMs = 90_000,
  ): Promise<PolicyStatus> {
    return this.#untilStatus(`status of ${name.kind} ${name.name}`, timeoutMs, async () => {
      const { status, metadata } = await this.policy(name);
      return { status, holds: status?.observedGeneration === metadata.generation && holds(status) };
    });
  }

  /** What the kernel of a pod holds, asked inside of it: `30/10/6`. */
  async valuesIn(pod: string, namespace: string, container = 'main'): Promise<string> {
    const files = ['time', 'intvl', 'probes'].map((name) => `/proc/sys/net/ipv4/tcp_keepalive_${name}`);
    const text = await this.cluster.kubectl(
      ...['exec', pod, '-n', namespace, '-c', container, '--', 'cat', ...files],
    );
    return text.trim().split('\n').join('/');
  }

  /** What the kernel of a node holds for its own network: `7200/75/9`. */
  async valuesOf(node: string): Promise<string> {
    const files = ['time', 'intvl', 'probes'].map((name) => `/proc/sys/net/ipv4/tcp_keepalive_${name}`);
    return (await this.cluster.onNode(node, `cat ${files.join(' ')}`)).trim().split('\n').join('/');
  }

  async untilValuesIn(pod: string, namespace: string, values: string, container?: string): Promise<void> {
    await this.until(`${pod} holds ${values}`, async () => {
      return (await this.valuesIn(pod, namespace, container)) === values;
    });
  }

  async untilValuesOf(node: string, values: string): Promise<void> {
    const holds = async () => (await this.valuesOf(node)) === values;
    await this.until(`${node} holds ${values}`, holds, { everyMs: 300 });
  }

  nodeKeepalive(node: string): Promise<{ readonly status?: NodeKeepaliveStatus }> {
    return this.#read(`/apis/keepalive.dev/v1alpha1/nodekeepalives/${node}`);
  }

  /**
   * Waits until what a node's agent says `holds`; gives it back. Values are there before anybody says so: an agent writes 10 s
   * after its last report at the soonest, and one that starts not before it knows how connections are reached.
   */
  async report(
    node: string,
    holds: (status: NodeKeepaliveStatus) => boolean,
    timeoutMs = 90_000,
  ): Promise<NodeKeepaliveStatus> {
    return this.#untilStatus(`report of ${node}`, timeoutMs, async () => {
      const { status } = await this.nodeKeepalive(node);
      return { status, holds: status !== undefined && holds(status) };
    });
  }

  async #untilStatus<T>(
    what: string,
    timeoutMs: number,
    read: () => Promise<{ readonly status: T | undefined; readonly holds: boolean }>,
  ): Promise<T> {
    let last: T | undefined;
    return this.until(
      what,
      async () => {
        const { status, holds } = await read();
        last = status;
        return holds ? status : undefined;
      },
      { timeoutMs, everyMs: 100 },
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; it is ${JSON.stringify(last)}`, { cause: error });
    });
  }

  /** Starts pods and waits until they are ready. */
  async start(...pods: readonly ReturnType<typeof sleeper>[]): Promise<void> {
    await this.apply(...pods);
    for (const { metadata } of pods) await this.untilReady(metadata.namespace, metadata.name);
  }

  /** Waits for pods as `kubectl wait` takes them: by a name, or `--all`, or `-l`, `app=server`. */
  async untilReady(namespace: string, ...pods: readonly string[]): Promise<void> {
    const timeout = `--timeout=${60 * this.patience}s`;
    await this.cluster.kubectl('wait', 'pod', ...pods, '-n', namespace, '--for=condition=Ready', timeout);
  }

  /** Not by `kubectl wait`, which gives up where nobody has looked at a definition yet, and its conditions are null. */
  async untilServed(...definitions: readonly string[]): Promise<void> {
    const established = '{.status.conditions[?(@.type=="Established")].status}';
    for (const name of definitions)
      await this.until(`${name} is served`, async () => {
        return (await this.cluster.kubectl('get', 'crd', name, '-o', `jsonpath=${established}`)) === 'True';
      });
  }

  /** The sysctls a pod would be created with, as the API server says in a dry run. */
  async dryRun(pod: Pod): Promise<readonly Sysctl[]> {
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods?dryRun=All&fieldValidation=Strict`;
    const { status, body } = await post(this.cluster.apiSocket, path, pod);
    if (status !== 201) throw new Error(`the API server says ${status} ${body}`);
    const created = JSON.parse(body) as { spec: { securityContext?: { sysctls?: Sysctl[] } } };
    return created.spec.securityContext?.sysctls ?? [];
  }
}

export function condition(status: PolicyStatus | undefined, type: Condition['type']): Condition | undefined {
  return status?.conditions?.find((candidate) => candidate.type === type);
}

export function isReady(status: PolicyStatus): boolean {
  return condition(status, 'Ready')?.status === 'True';
}

export function isStalled(status: PolicyStatus): boolean {
  return condition(status, 'Stalled')?.status === 'True';
}

/** A pod of the tools image that does nothing. */
export function sleeper(
  name: string,
  namespace: string,
  extra: { labels?: Record<string, string>; spec?: object } = {},
) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: extra.labels ?? {} },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        { name: 'main', image: 'localhost/tools:1', imagePullPolicy: 'Never', command: ['sleep', '3600'] },
      ],
      ...extra.spec,
    },
  };
}

/** A policy of every pod behind one NAT. */
export function kap(namespace: string, name: string, seconds: number, spec: object = {}) {
  return {
    apiVersion: 'keepalive.dev/v1alpha1',
    kind: 'KeepalivePolicy',
    metadata: { name, namespace },
    spec: { podSelector: {}, path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }], ...spec },
  };
}

export function ckap(name: string, seconds: number, spec: object = {}) {
  return {
    apiVersion: 'keepalive.dev/v1alpha1',
    kind: 'ClusterKeepalivePolicy',
    metadata: { name },
    spec: { podSelector: {}, path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }], ...spec },
  };
}
