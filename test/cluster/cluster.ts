import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { control, wired } from './addresses.ts';
import { get, readinessOf } from './api.ts';
import { architecturesIn, archivesFor } from './archive.ts';
import { Component } from './component.ts';
import type { ComponentSpec } from './components.ts';
import { adminConfig, admissionFile, allComponents, apiSocketOf, pkiFolder } from './components.ts';
import type { Output } from './command.ts';
import { guestLogs, loadIntoGuest, resetGuest, shellOf } from './guest-node/guest-node.ts';
import { startGuest } from './guest-node/needs.ts';
import type { Host } from './host.ts';
import type { InstallOptions } from './install.ts';
import { installProduct } from './install.ts';
import type { LabState } from './lab.ts';
import { clearAbandoned, Lab } from './lab.ts';
import { importImage, podRoutes, startNodeHost, stopNodeHost } from './node.ts';
import { issueKeys } from './pki.ts';
import { prepare } from './prepare.ts';
import type { Guest } from './roster.ts';
import { guestsOf, membersOf } from './roster.ts';
import type { Stock } from './stock.ts';
import { stocks } from './stock.ts';
import type { UpOptions } from './up-options.ts';
import { factsOf } from './up-options.ts';
import type { Patience } from './wait.ts';
import { all, until } from './wait.ts';

export const DEFAULT_NAME = 'keepalive';

/** Archives: those that every node of this machine has, and those that only this cluster has. */
interface StartImages {
  readonly own: readonly string[];
  readonly further: readonly string[];
}

/** A real Kubernetes in namespaces of this machine. */
export class Cluster {
  readonly lab: Lab;
  readonly #components: readonly ComponentSpec[];

  private constructor(lab: Lab) {
    this.lab = lab;
    this.#components = allComponents({ folder: lab.folder, ...lab.state });
  }

  /** Builds what is missing, then starts a cluster and waits until its nodes take pods. */
  static async up(options: UpOptions = {}): Promise<Cluster> {
    const { name = DEFAULT_NAME, onProgress = () => undefined, signal } = options;
    const ready = await prepare({ kubernetes: options.kubernetes, guests: options.guests, signal });
    for (const gone of await clearAbandoned())
      onProgress(`cleared away cluster ${gone}, which was nobody's any more`);
    const lab = Lab.create(name, factsOf(options, ready));
    try {
      const cluster = new Cluster(lab);
      const { admission, archives = [], isBare = false } = options;
      const images = { own: ready.images, further: archives };
      await cluster.#start({ images, admission, isBare, onProgress, signal });
      lab.markReady();
      return cluster;
    } catch (error) {
      await lab.down();
      // Ctrl-C reaches the programs we were waiting for as well: their complaints are not the reason.
      signal?.throwIfAborted();
      throw error;
    }
  }

  /** A cluster that runs; undefined where there is none of that name. */
  static find(name = DEFAULT_NAME): Cluster | undefined {
    const lab = Lab.find(name);
    return lab?.state.ready === true && lab.hosts().length > 0 ? new Cluster(lab) : undefined;
  }

  get name(): string {
    return this.lab.name;
  }

  /** Those that are namespaces of this machine. */
  get nodes(): readonly string[] {
    return this.lab.state.nodes;
  }

  get guests(): readonly Guest[] {
    return guestsOf(this.lab.state);
  }

  /** Of what images for its nodes are made. */
  get stocks(): readonly Stock[] {
    const own = this.nodes.map(() => 'amd64' as const);
    const architectures = new Set([...own, ...this.guests.map(({ spec }) => spec.architecture)]);
    return [...architectures].map((one) => stocks[one]);
  }

  get kubernetes(): string {
    return this.lab.state.kubernetes;
  }

  /** A file that is valid inside the lab. */
  get kubeconfig(): string {
    return adminConfig(this.lab.folder);
  }

  /** Speaks plain HTTP as an administrator, from outside the lab too. */
  get apiSocket(): string {
    return apiSocketOf(this.lab.folder);
  }

  /** Of all that have a log. */
  get componentNames(): readonly string[] {
    return [...this.#components.map(({ name }) => name), ...Object.keys(this.#guestLogs)];
  }

  get #guestLogs(): Record<string, string> {
    return Object.fromEntries(
      this.guests.flatMap((guest) => Object.entries(guestLogs(this.lab.folder, guest))),
    );
  }

  /** What a program inside sees: this process's own environment, the cluster's programs and its kubeconfig. */
  environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const cache = join(this.lab.folder, 'kubectl');
    return { ...this.lab.environment(), KUBECONFIG: this.kubeconfig, KUBECACHEDIR: cache, ...extra };
  }

  /** Runs a program beside the control plane to its end. */
  exec(argv: readonly string[], options: { stdin?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Output> {
    return this.#host('control').exec(argv, { ...options, env: this.environment(options.env) });
  }

  /** Starts a program beside the control plane; whoever asked for it ends it. */
  spawn(
    argv: readonly string[],
    options: { env?: NodeJS.ProcessEnv; stdio?: 'pipe' | 'inherit'; cwd?: string } = {},
  ): ChildProcess {
    return this.#host('control').spawn(argv, { ...options, env: this.environment(options.env) });
  }

  /** What kubectl prints; throws what it complains of. */
  kubectl(...args: readonly string[]): Promise<string> {
    return this.#kubectl(args);
  }

  apply(manifests: string): Promise<string> {
    return this.#kubectl(['apply', '-f', '-'], manifests);
  }

  /** Puts an OCI or docker archive onto every node that it is for. */
  async load(archive: string): Promise<void> {
    const made = await architecturesIn(archive);
    const nodes = made.has('amd64') ? this.nodes : [];
    const guests = this.guests.filter(({ spec }) => made.has(spec.architecture));
    if (nodes.length + guests.length === 0)
      throw new Error(`${archive} is for ${[...made].join(' and ')}, and no node of cluster ${this.name} is`);
    await all([
      ...nodes.map((node) => importImage(this.#host(node), archive, this.environment())),
      ...guests.map((guest) => loadIntoGuest(this.lab, guest, archive)),
    ]);
  }

  /** Runs lines of shell on a node, of whichever kind, as root; gives back what they print. */
  async onNode(name: string, script: string): Promise<string> {
    const guest = this.guests.find((one) => one.name === name);
    if (guest !== undefined) return (await shellOf(this.lab, guest)).runOrThrow(script);
    return this.#host(name).execOrThrow(['sh', '-c', script], { env: this.environment(), cwd: '/' });
  }

  /** Builds the product's image, loads it, applies deploy/ and waits until it serves. */
  install(options: InstallOptions = {}): Promise<void> {
    return installProduct(this, options);
  }

  /** Of one of `componentNames`, those of guests too. */
  logPath(name: string): string {
    const known = this.#guestLogs[name] ?? this.#components.find((one) => one.name === name);
    if (known === undefined)
      throw new Error(`nothing is called "${name}": choose one of ${this.componentNames.join(', ')}`);
    return typeof known === 'string' ? known : this.component(name).logPath;
  }

  /** By its name: `apiserver`, `etcd`, `n1/kubelet`. Those of guests are the business of their systemd: see `onNode`. */
  component(name: string): Component {
    const spec = this.#components.find((one) => one.name === name);
    if (spec === undefined)
      throw new Error(
        `there is no component "${name}": choose one of ${this.#components.map((one) => one.name).join(', ')}`,
      );
    return new Component(spec, {
      folder: this.lab.folder,
      host: () => this.#host(spec.host),
      env: this.#componentEnvironment(),
      serves: () => (name === 'apiserver' ? this.#untilServing() : Promise.resolve()),
    });
  }

  /** As if the machine lost power: its processes end at once, its disk stays, and it starts again.
   * Resolves when the node is ready; its pods follow. */
  async rebootNode(name: string): Promise<void> {
    const guest = this.guests.find((one) => one.name === name);
    if (guest !== undefined) return this.#rebootGuest(guest);
    await stopNodeHost(this.lab, name);
    await this.#startNode(name, []);
    const last = await readinessOf(this.apiSocket, name);
    await this.component(`${name}/kubelet`).start();
    await until(`node ${name} is ready again`, async () => {
      const { ready, heartbeat } = await readinessOf(this.apiSocket, name);
      return ready && heartbeat !== last.heartbeat;
    });
  }

  async #rebootGuest(guest: Guest): Promise<void> {
    const before = await readinessOf(this.apiSocket, guest.name);
    const again = async () => {
      const { ready, boot } = await readinessOf(this.apiSocket, guest.name);
      return ready && boot !== before.boot;
    };
    await resetGuest(this.lab, guest, () =>
      until(`guest ${guest.name} is ready again`, again, { timeoutMs: 600_000, everyMs: 200 }),
    );
  }

  async down(): Promise<void> {
    await this.lab.down();
  }

  async #start({
    images,
    admission,
    isBare,
    onProgress,
    signal,
  }: {
    images: StartImages;
    admission: string | undefined;
    isBare: boolean;
    onProgress: (step: string) => void;
    signal: AbortSignal | undefined;
  }): Promise<void> {
    mkdirSync(pkiFolder(this.lab.folder), { mode: 0o700 });
    if (admission !== undefined) writeFileSync(admissionFile(this.lab.folder), admission);
    await all([
      issueKeys(pkiFolder(this.lab.folder), {
        nodes: membersOf(this.lab.state).map(({ name }) => name),
        family: this.lab.state.family,
      }),
      this.lab.host('control', controlNetwork(this.lab.state)),
    ]);
    signal?.throwIfAborted();
    const serving = this.#startControlPlane(isBare, signal).then(() => {
      onProgress(`Kubernetes ${this.kubernetes} serves`);
    });
    const isReady = async (node: string, { alive, ...patience }: Patience & { alive?: () => void }) => {
      const ready = async () => {
        alive?.();
        return (await readinessOf(this.apiSocket, node)).ready;
      };
      await until(`node ${node} is ready`, ready, { signal, ...patience });
      onProgress(`node ${node} is ready`);
    };
    const whole = this.nodes.map(async (node) => {
      await this.#startNode(node, [...images.own, ...(await archivesFor('amd64', images.further))]);
      await serving;
      signal?.throwIfAborted();
      await this.component(`${node}/kubelet`).start();
      await isReady(node, { everyMs: 50 });
    });
    const guests = this.guests.map(async (guest) => {
      const alive = await startGuest(this.lab, guest, images.further);
      onProgress(`guest ${guest.name} boots`);
      await serving;
      await isReady(guest.name, { alive, timeoutMs: 600_000, everyMs: 200 });
    });
    await all([serving, ...whole, ...guests]);
    if (isBare) return;
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await until('pods may be made', async () => (await get(this.apiSocket, account)).status === 200, {
      signal,
    });
  }

  async #startControlPlane(isBare: boolean, signal: AbortSignal | undefined): Promise<void> {
    await all(['etcd', 'apiserver', 'api-socket'].map((name) => this.#begin(name)));
    await this.#untilServing(signal);
    if (!isBare) await all(['controller-manager', 'scheduler'].map((name) => this.#begin(name)));
  }

  /** All of a node but its kubelet, which asks for the API server at once. */
  async #startNode(node: string, archives: readonly string[]): Promise<void> {
    const host = await startNodeHost(this.lab, node);
    await this.#begin(`${node}/containerd`);
    const env = this.environment();
    const answers = async () => (await host.exec(['ctr', 'version'], { env, cwd: '/' })).code === 0;
    await until(`containerd of ${node} answers`, answers);
    for (const archive of archives) await importImage(host, archive, env);
    await this.#begin(`${node}/kube-proxy`);
  }

  /** Starts a component and does not wait for it to serve. */
  async #begin(name: string): Promise<void> {
    const spec = this.#components.find((one) => one.name === name);
    if (spec === undefined) throw new Error(`no component ${name}`);
    const { logPath } = this.component(name);
    await this.#host(spec.host).start(spec.argv, {
      logFile: logPath,
      prefix: spec.prefix ?? [],
      env: this.#componentEnvironment(),
    });
  }

  /** A kubelet that ends at once leaves temporary folders: they go with the lab's own. */
  #componentEnvironment(): NodeJS.ProcessEnv {
    const folder = join(this.lab.folder, 'tmp');
    mkdirSync(folder, { recursive: true });
    return this.environment({ TMPDIR: folder });
  }

  async #untilServing(signal?: AbortSignal): Promise<void> {
    const serves = async () => (await get(this.apiSocket, '/readyz')).status === 200;
    await until(`the API server serves; its log is ${this.component('apiserver').logPath}`, serves, {
      signal,
    });
  }

  async #kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { stdout, stderr, code } = await this.exec(
      ['kubectl', ...args],
      stdin === undefined ? {} : { stdin },
    );
    if (code !== 0) throw new Error(stderr.trim() || `kubectl ${args.join(' ')} ended with status ${code}`);
    return stdout;
  }

  #host(name: string): Host {
    const host = this.lab.hosts().find((one) => one.name === name);
    if (host === undefined) throw new Error(`host ${name} of cluster ${this.name} is not running`);
    return host;
  }
}

function controlNetwork(state: LabState): string {
  const { family } = state;
  const routes = membersOf(state).flatMap(({ index }) => podRoutes(index, family));
  const addresses = wired({ v4: `${control.v4}/24`, v6: `${control.v6}/64 nodad` }, family);
  return `ip link add lan type bridge; ${addresses.map((one) => `ip addr add ${one} dev lan`).join('; ')}
    ip link set lan up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ${routes.map((route) => `ip ${route}`).join('\n')}`;
}
