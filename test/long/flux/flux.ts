import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { control } from '../../cluster/addresses.ts';
import { get } from '../../cluster/api.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { ProgramSet } from '../../cluster/program.ts';
import { flux } from '../../cluster/program.ts';
import type { Patience } from '../../cluster/wait.ts';
import { until } from '../../cluster/wait.ts';

const storagePort = 9790;
export const home = 'flux-system';

const paths = {
  gitrepository: 'source.toolkit.fluxcd.io/v1/gitrepositories',
  kustomization: 'kustomize.toolkit.fluxcd.io/v1/kustomizations',
  helmrelease: 'helm.toolkit.fluxcd.io/v2/helmreleases',
} as const;
export type FluxKind = keyof typeof paths;

export interface FluxObject {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly conditions?: readonly Said[];
    readonly observedGeneration?: number;
    readonly lastAppliedRevision?: string;
    readonly lastAttemptedRevision?: string;
    readonly lastHandledReconcileAt?: string;
    /** Of a HelmRelease: the releases it made, the newest first. */
    readonly history?: readonly Release[];
  };
}

interface Release {
  readonly version: number;
  readonly chartVersion: string;
  readonly ociDigest?: string;
}

export interface Said {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export function said(object: FluxObject, type = 'Ready'): Said | undefined {
  return object.status?.conditions?.find((one) => one.type === type);
}

function pathOf(kind: FluxKind, name: string): string {
  const [group, version, plural] = paths[kind].split('/');
  return `/apis/${group}/${version}/namespaces/${home}/${plural}/${name}`;
}

/** The controllers of Flux, beside the API server instead of in pods. */
export class Flux {
  readonly #cluster: Cluster;
  #asked = 0;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  static async start(cluster: Cluster): Promise<Flux> {
    for (const { place } of flux())
      await cluster.kubectl('apply', '--server-side', '-f', join(place, 'crds'));
    await cluster.kubectl('create', 'namespace', home);
    const started = new Flux(cluster);
    for (const [index, set] of flux().entries()) await started.#controller(index, set);
    return started;
  }

  async object(kind: FluxKind, name: string): Promise<FluxObject | undefined> {
    const { status, body } = await get(this.#cluster.apiSocket, pathOf(kind, name));
    return status === 200 ? (JSON.parse(body) as FluxObject) : undefined;
  }

  /** Waits until it says something of its present spec that `holds`. */
  async until(
    kind: FluxKind,
    name: string,
    holds: (object: FluxObject) => boolean,
    patience: Patience = { timeoutMs: 240_000 },
  ): Promise<FluxObject> {
    let last: FluxObject | undefined;
    const wanted = async () => {
      last = await this.object(kind, name);
      return last !== undefined && holds(last) ? last : undefined;
    };
    return until(`${kind} ${name}`, wanted, { everyMs: 100, ...patience }).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; it is ${JSON.stringify(last?.status)}`, { cause: error });
    });
  }

  /** As `flux reconcile` asks; gives back what came of it. */
  async ask(kind: FluxKind, name: string): Promise<FluxObject> {
    this.#asked += 1;
    const at = `${process.pid}-${this.#asked}`;
    await this.patch(kind, name, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': at } } });
    return this.until(kind, name, ({ status }) => status?.lastHandledReconcileAt === at);
  }

  /** A merge patch, without kubectl: some are written hundreds of times. */
  async patch(kind: FluxKind, name: string, body: object): Promise<void> {
    const { apiSocket: socketPath } = this.#cluster;
    const headers = { 'content-type': 'application/merge-patch+json' };
    const call = request({ socketPath, path: pathOf(kind, name), method: 'PATCH', headers });
    call.end(JSON.stringify(body));
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const answer = await text(response);
    if (response.statusCode !== 200) throw new Error(answer);
  }

  async #controller(index: number, { place, programs }: ProgramSet): Promise<void> {
    const [program = ''] = programs;
    const storage = join(this.#cluster.lab.folder, 'artifacts');
    mkdirSync(storage, { recursive: true });
    const serving = [
      `--storage-path=${storage}`,
      `--storage-addr=${control.v4}:${storagePort}`,
      `--storage-adv-addr=${control.v4}:${storagePort}`,
    ];
    const host = await this.#cluster.lab.host('control');
    const temporary = join(this.#cluster.lab.folder, 'tmp');
    mkdirSync(temporary, { recursive: true });
    const args = [
      '--metrics-addr=0',
      `--health-addr=127.0.0.1:${9440 + index}`,
      // Of more than 25 events on one object the recorder of Kubernetes drops the next, and each try is one.
      ...(program === 'source-controller' ? serving : ['--requeue-dependency=5s']),
    ];
    await host.start([join(place, program), ...args], {
      logFile: join(this.#cluster.lab.folder, 'log', `${program}.log`),
      env: this.#cluster.environment({ RUNTIME_NAMESPACE: home, TMPDIR: temporary }),
    });
  }
}
