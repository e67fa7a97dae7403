import { join } from 'node:path';

import { Namespaces } from '../../src/agent/namespaces.ts';
import { resources } from '../../src/agent/resource.ts';
import type { KeepaliveFiles } from '../../src/kernel/keepalive-files.ts';
import type { ApiClient } from '../../src/kube/client.ts';
import type { Triple } from '../../src/api/triple.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { cgroupOf } from '../cluster/cgroups.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Host } from '../cluster/host.ts';
import { until } from '../cluster/wait.ts';
import { hierarchy, procRootOf, sandboxGroup, startSandboxes } from '../kernel/sandbox.ts';
import { apiOf, each } from './api.ts';
import type { Sandbox } from './held-connections.ts';

const node = 'n1';
const namespace = 'crowd';
const createAtOnce = 8;

/** Pods of a node as its agent sees them, objects and sandboxes, without the kubelet that would make them slowly. */
export class NodeCrowd {
  readonly cluster: Cluster;
  readonly client: ApiClient;
  readonly host: Host;
  readonly namespace = namespace;
  readonly sandboxes: Sandbox[] = [];
  readonly #found: Namespaces;
  readonly #files: KeepaliveFiles[] = [];

  private constructor(cluster: Cluster, host: Host) {
    this.cluster = cluster;
    this.client = apiOf(cluster);
    this.host = host;
    this.#found = new Namespaces(procRootOf(host));
  }

  static async gather(cluster: Cluster): Promise<NodeCrowd> {
    await cluster.component(`${node}/kubelet`).stop();
    await cluster.kubectl('create', 'namespace', namespace);
    await until('its service account is there', async () => {
      const account = ['serviceaccount', 'default', '-n', namespace];
      return (await cluster.exec(['kubectl', 'get', ...account])).code === 0;
    });
    return new NodeCrowd(cluster, await cluster.lab.host(node));
  }

  get size(): number {
    return this.sandboxes.length;
  }

  async close(): Promise<void> {
    this.#found.closeAll();
    await this.client.close();
  }

  /** Resolves when there are so many, and the agent looks after them. */
  async grow(size: number): Promise<void> {
    const names = Array.from({ length: size - this.size }, (_, at) => `pod-${this.size + at}`);
    const uids: string[] = [];
    await each(names, createAtOnce, async (name) => {
      const { metadata } = await this.client.create({ ...resources.pods, namespace }, pod(name));
      uids.push(metadata.uid);
    });
    const root = join(hierarchy, cgroupOf(this.cluster.name, node));
    const groups = uids.map((uid) => join(root, sandboxGroup(uid)));
    const pids = await startSandboxes(this.host, groups);
    this.sandboxes.push(...groups.map((group, at) => ({ pid: pids[at] ?? NaN, group })));
    await each(names, createAtOnce, (name) =>
      this.client.patch({ ...resources.pods, namespace, name, subresource: 'status' }, { status: running }),
    );
    const places = uids.map(placeOfPod);
    const identity = (uid: string) => ({ name: uid, group: uid, containers: [] });
    this.#found.open({ places, pods: new Map(uids.map((uid) => [placeOfPod(uid), identity(uid)])) });
    this.#files.push(...places.flatMap((place) => this.#found.get(place)?.files ?? []));
    if (this.#files.length !== size)
      throw new Error(`found ${this.#files.length} of ${size} network namespaces`);
  }

  /** Resolves with the moment at which the last of them was seen to hold these values. */
  async untilAllHold(wanted: Triple): Promise<number> {
    const waiting = [...this.#files];
    await until(
      'every network namespace holds the values',
      () => {
        while (holds(waiting.at(-1), wanted)) waiting.pop();
        return waiting.length === 0;
      },
      { everyMs: 1 },
    );
    return performance.now();
  }
}

function holds(files: KeepaliveFiles | undefined, wanted: Triple): boolean {
  if (files === undefined) return false;
  const { timeSeconds, intervalSeconds, probes } = files.read().values;
  return (
    timeSeconds === wanted.timeSeconds &&
    intervalSeconds === wanted.intervalSeconds &&
    probes === wanted.probes
  );
}

function pod(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'crowd' } },
    spec: {
      nodeName: node,
      // The node counts as lost while its kubelet is stopped.
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'main', image: 'localhost/tools:1' }],
    },
  };
}

const running = {
  phase: 'Running',
  containerStatuses: [
    {
      ...{ name: 'main', image: 'localhost/tools:1', imageID: '', ready: true, restartCount: 0 },
      state: { running: {} },
    },
  ],
};
