import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Discovery } from '../../src/policy/tracker.ts';
import type { Addresses } from './crossing.ts';
import { Crossing, withLength } from './crossing.ts';
import type { Duty } from './guest.ts';
import { discovery } from './discovery.ts';
import { bootGuest } from './guest.ts';
import type { Host } from './host.ts';
import { ipvsProxy } from './ipvs-proxy.ts';
import type { Lab } from './lab.ts';
import { unpacked } from './unpacked.ts';

export const directorPackages = unpacked('ipvs', [
  ...['ipset', 'ipvsadm', 'linux-image-cloud-amd64', 'qemu-system-x86'],
]);

export interface DirectorOptions {
  readonly name: string;
  /** The host on its far side, made if there is none of that name. */
  readonly outside: string;
}

export interface Balancing {
  /** Of the server, and of the address that the director lends it. */
  readonly port: number;
  /** Of a Service of the cluster that leads to `server`, served by a kube-proxy in IPVS mode beside it. */
  readonly nodePort: number;
  /** What that kube-proxy is told (`ipvs.tcpTimeout`); it counts for all of the director. */
  readonly forgetsAfterSeconds: number;
}

/** What the director says of itself, once it serves. */
export interface DirectorFacts {
  readonly kernel: string;
  /** After how long the kernel forgets an idle connection: by itself, and since kube-proxy started. */
  readonly timeoutSeconds: { readonly byDefault: number; readonly set: number };
  /** What the node agent finds on such a host: with IPVS loaded and no virtual service, while all of them are IPv6, and at the end. */
  readonly discoveredUnused: Discovery;
  readonly discoveredByIPv6: Discovery;
  readonly discovered: Discovery;
  /** What kube-proxy serves at /configz. */
  readonly configz: {
    readonly 'kubeproxy.config.k8s.io': {
      readonly mode: string;
      readonly ipvs: { readonly tcpTimeout: string };
    };
  };
}

/**
 * An IPVS director between an inside host and an outside one, with a kernel of its own (guest.ts). It forgets an idle
 * connection after a time and then takes the next packet for a stranger's.
 */
export class Director {
  readonly outside: Host;
  readonly #lab: Lab;
  readonly #crossing: Crossing;
  readonly #host: Host;
  readonly #inside: Host;

  private constructor(lab: Lab, crossing: Crossing, hosts: Record<'host' | 'inside' | 'outside', Host>) {
    this.#lab = lab;
    this.#crossing = crossing;
    this.#host = hosts.host;
    this.#inside = hosts.inside;
    this.outside = hosts.outside;
  }

  /** Its hosts, cables and routes; `boot` brings it to life. */
  static async wire(lab: Lab, options: DirectorOptions): Promise<Director> {
    const crossing = Crossing.claim(lab);
    const director = new Director(lab, crossing, {
      inside: await lab.host('control'),
      host: await lab.host(options.name),
      outside: await lab.host(options.outside),
    });
    await director.#wire();
    return director;
  }

  /** What it lends to the server: those inside find the server there. */
  get lent(): Addresses {
    return this.#crossing.lent;
  }

  /** Its own, where it serves node ports. */
  get address(): Addresses {
    return this.#crossing.inside.far;
  }

  /** The server as the director itself finds it. */
  get server(): Addresses {
    return this.#crossing.outside.far;
  }

  async boot(balancing: Balancing, signal?: AbortSignal): Promise<DirectorFacts> {
    const folder = join(this.#lab.folder, 'guests', this.#host.name);
    mkdirSync(folder, { recursive: true });
    const proxy = ipvsProxy(this.#lab, folder, {
      tcpTimeoutSeconds: balancing.forgetsAfterSeconds,
      nodePort: balancing.nodePort,
      leaveAlone: [`${this.lent.v4}/32`, `${this.lent.v6}/128`],
    });
    const console = await bootGuest({
      ...{ host: this.#host, folder, packages: directorPackages, bridges: ['inside', 'outside'] },
      duties: [
        network(this.#crossing),
        // IPVS says this before anybody lends anything: it is loaded then.
        show('by default'),
        await discovery(folder, 'discovered unused'),
        lend(this.#crossing, 'v6', balancing.port),
        await discovery(folder, 'discovered by IPv6'),
        lend(this.#crossing, 'v4', balancing.port),
        proxy,
        show('set'),
        await discovery(folder, 'discovered'),
      ],
      signal,
    });
    return {
      kernel: said(console, 'kernel'),
      timeoutSeconds: {
        byDefault: tcpSeconds(said(console, 'by default')),
        set: tcpSeconds(said(console, 'set')),
      },
      discoveredUnused: JSON.parse(said(console, 'discovered unused')) as Discovery,
      discoveredByIPv6: JSON.parse(said(console, 'discovered by IPv6')) as Discovery,
      discovered: JSON.parse(said(console, 'discovered')) as Discovery,
      configz: JSON.parse(said(console, 'configz')) as DirectorFacts['configz'],
    };
  }

  /** Removes the director; the host on its far side stays. */
  async stop(): Promise<void> {
    const { device } = this.#crossing;
    await this.#host.stop();
    await this.#lab.unlink(this.#inside, device);
    await this.#lab.unlink(this.outside, device);
    this.#crossing.release();
  }

  async #wire(): Promise<void> {
    const { inside, outside, lent, device } = this.#crossing;
    const host = this.#host;
    for (const bridge of ['inside', 'outside'])
      await host.ip(`link add ${bridge} type bridge`, `link set ${bridge} up`);
    await this.#lab.link(
      { host: this.#inside, device, addresses: withLength(inside.near) },
      { host, device: 'to-inside', addresses: [] },
    );
    await this.#lab.link(
      { host, device: 'to-outside', addresses: [] },
      { host: this.outside, device, addresses: withLength(outside.far) },
    );
    await host.ip('link set to-inside master inside', 'link set to-outside master outside');
    const { far } = inside;
    await this.#inside.ip(`route add ${lent.v4} via ${far.v4}`, `route add ${lent.v6} via ${far.v6}`);
    // It lends its address and translates nothing else: the server sees who asks, and answers through it.
    const { near } = outside;
    await this.outside.ip(`route add default via ${near.v4}`, `route add default via ${near.v6}`);
  }
}

function network({ inside, outside }: Crossing): Duty {
  const addresses = (device: string, at: Addresses) =>
    withLength(at).map((address) => `ip addr add ${address} dev ${device}`);
  return {
    modules: ['virtio_pci', 'virtio_net'],
    programs: [],
    script: `
echo "kernel: $(uname -r)"
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth1.accept_dad=0
${[...addresses('eth0', inside.far), ...addresses('eth1', outside.near)].join('\n')}
ip link set eth0 up; ip link set eth1 up
ip route add default via ${inside.near.v4}; ip -6 route add default via ${inside.near.v6}
`,
  };
}

function lend({ lent, outside }: Crossing, family: keyof Addresses, port: number): Duty {
  const at = (address: string) => `${family === 'v6' ? `[${address}]` : address}:${port}`;
  return {
    modules: ['ip_vs', 'ip_vs_rr'],
    programs: ['/usr/sbin/ipvsadm'],
    script: `
ip addr add ${lent[family]}/${family === 'v6' ? 128 : 32} dev lo
ipvsadm -A -t ${at(lent[family])} -s rr
ipvsadm -a -t ${at(lent[family])} -r ${at(outside.far[family])} -m
`,
  };
}

function show(name: string): Duty {
  return { modules: [], programs: [], script: `echo "${name}: $(ipvsadm -L --timeout)"` };
}

/** The line of its console that begins with this name. */
function said(console: string, name: string): string {
  const line = new RegExp(`^${name}: (.*?)\\r?$`, 'm').exec(console)?.[1];
  if (line === undefined) throw new Error(`the director does not say "${name}": ${console}`);
  return line;
}

/** From `Timeout (tcp tcpfin udp): 900 120 300`. */
function tcpSeconds(timeouts: string): number {
  return Number(/: (\d+)/.exec(timeouts)?.[1]);
}
