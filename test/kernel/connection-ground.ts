import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { compileConnectionProgram } from '../../scripts/connection-program.ts';
import { unifiedRoot } from '../../src/kernel/control-group.ts';
import type { ConnectionProgramOptions } from '../../src/kernel/connection-program.ts';
import { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import type { KeepaliveValues } from '../../src/kernel/keepalive-files.ts';
import { KeepaliveFiles } from '../../src/kernel/keepalive-files.ts';
import { HomeNamespace, identityInside } from '../../src/kernel/network-namespace.ts';
import type { Pod } from './machine.ts';
import { Machine } from './machine.ts';
import { acceptFrom, closeAll, connectTo, listenAt } from './plain-socket.ts';
import { procRootOf } from './sandbox.ts';

/** A network namespace that this process can go into, for as long as an action takes. */
export class Network {
  readonly cookie: bigint;
  readonly #fd: number;
  readonly #home: HomeNamespace;
  readonly #files: KeepaliveFiles;

  constructor(pod: Pod, home: HomeNamespace) {
    this.#home = home;
    this.#fd = openSync(`/proc/${pod.pid}/ns/net`, 'r');
    const { cookie } = home.away(this.#fd, () => identityInside(this.#fd));
    if (cookie === undefined) throw new Error('this kernel gives network namespaces no cookie');
    this.cookie = cookie;
    this.#files = this.inside(() => KeepaliveFiles.open('/proc'));
  }

  inside<T>(action: () => T): T {
    return this.#home.away(this.#fd, action);
  }

  /** Its values from now on, for sockets that set none. */
  hold(values: KeepaliveValues): void {
    const [fault] = this.#files.write(values);
    if (fault !== undefined) throw new Error(`${fault.key} cannot be written: ${fault.code}`);
  }

  close(): void {
    this.#files.close();
    closeSync(this.#fd);
  }
}

export const port = 7000;
export const serverAddress = '10.7.0.1';
export type ConnectOptions = { readonly host?: string } & Parameters<typeof connectTo>[2];

/** Two pods with a cable between them, and a BPF file system that goes with the machine. */
export class Ground {
  readonly machine: Machine;
  readonly server: Network;
  readonly client: Network;
  readonly #home: HomeNamespace;
  readonly pods: { readonly server: Pod; readonly client: Pod };
  #sockets: number[] = [];

  private constructor(
    machine: Machine,
    pods: { readonly server: Pod; readonly client: Pod },
    home: HomeNamespace,
  ) {
    this.machine = machine;
    this.pods = pods;
    this.#home = home;
    this.server = new Network(pods.server, home);
    this.client = new Network(pods.client, home);
  }

  static async start(): Promise<Ground> {
    const machine = await Machine.start();
    const pods = { server: await machine.pod(), client: await machine.pod() };
    await machine.link(pods.server, pods.client);
    await machine.mountBpf();
    compileConnectionProgram(join(machine.folder, 'keepalive.bpf.o'));
    return new Ground(machine, pods, new HomeNamespace());
  }

  get objectFile(): string {
    return join(this.machine.folder, 'keepalive.bpf.o');
  }

  get pinFolder(): string {
    return join(procRootOf(this.machine.host), '1/root/run/bpf/keepalive');
  }

  /** Where control groups of version 2 begin. */
  get groupFolder(): string {
    const folder = unifiedRoot(readFileSync('/proc/self/mountinfo', 'utf8'));
    if (folder === undefined) throw new Error('control groups of version 2 are not mounted');
    return folder;
  }

  open(options: Partial<ConnectionProgramOptions> = {}): Promise<ConnectionProgram> {
    const { objectFile, groupFolder, pinFolder } = this;
    return ConnectionProgram.open({ procRoot: '/proc', objectFile, groupFolder, pinFolder, ...options });
  }

  /** Closed by {@link closeSockets}. */
  keep(fd: number): number {
    this.#sockets.push(fd);
    return fd;
  }

  serve(host = '::', protocol?: number): number {
    return this.server.inside(() => this.keep(listenAt(host, port, protocol)));
  }

  connect({ host = serverAddress, ...options }: ConnectOptions = {}): number {
    return this.client.inside(() => this.keep(connectTo(host, port, options)));
  }

  accept(listener: number): number {
    return this.keep(acceptFrom(listener));
  }

  /** Those that were closed before are not closed again: their numbers may be others' by now. */
  close(fd: number): void {
    this.#sockets = this.#sockets.filter((one) => one !== fd);
    closeAll([fd]);
  }

  closeSockets(): void {
    closeAll(this.#sockets);
    this.#sockets = [];
  }

  async stop(): Promise<void> {
    for (const network of [this.server, this.client]) network.close();
    this.#home.close();
    await this.machine.stop();
  }
}
