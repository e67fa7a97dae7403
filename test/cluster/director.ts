/**
 * An IPVS director of a real kernel (guest.ts) between an inside host and an outside one: those inside use an address
 * that it lends. It forgets an idle connection after a time and then takes the next packet for a stranger's.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Addresses } from './crossing.ts';
import { Crossing, withLength } from './crossing.ts';
import { bootGuest } from './guest.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';
import { unpacked } from './unpacked.ts';

export const ipvsPackages = unpacked('ipvs', ['ipvsadm', 'linux-image-cloud-amd64']);

export interface DirectorOptions {
  readonly name: string;
  readonly forgetsAfterSeconds: number;
  /** The host on its far side, made if there is none of that name. */
  readonly outside: string;
  readonly port: number;
}

export interface Director {
  /** Where those inside find the host at the far end. */
  readonly address: Addresses;
  readonly outside: Host;
  readonly kernel: string;
  /** After how long it forgets an idle connection if it is not told anything. */
  readonly defaultSeconds: number;
  /** Removes the director; the host on its far side stays. */
  readonly stop: () => Promise<void>;
}

export async function startIpvsDirector(lab: Lab, options: DirectorOptions): Promise<Director> {
  const crossing = Crossing.claim(lab);
  const { inside, outside, lent, device } = crossing;
  const control = await lab.host('control');
  const host = await lab.host(options.name);
  const server = await lab.host(options.outside);
  await host.ip('link add inside type bridge', 'link add outside type bridge');
  await host.ip('link set inside up', 'link set outside up');
  await lab.link(
    { host: control, device, addresses: withLength(inside.near) },
    { host, device: 'to-inside', addresses: [] },
  );
  await lab.link(
    { host, device: 'to-outside', addresses: [] },
    { host: server, device, addresses: withLength(outside.far) },
  );
  await host.ip('link set to-inside master inside', 'link set to-outside master outside');
  const console = await bootGuest({
    ...{ host, folder: folderOf(lab, options.name), packages: ipvsPackages },
    modules: ['virtio_pci', 'virtio_net', 'ip_vs', 'ip_vs_rr'],
    programs: ['/usr/sbin/ipvsadm'],
    bridges: ['inside', 'outside'],
    script: script(crossing, options),
  });
  const { far } = inside;
  await control.ip(`route add ${lent.v4} via ${far.v4}`, `route add ${lent.v6} via ${far.v6}`);
  // It lends its address and translates nothing else: the server sees who asks, and answers through it.
  const { near } = outside;
  await server.ip(`route add default via ${near.v4}`, `route add default via ${near.v6}`);
  if (tcpSeconds(said(console, 'set')) !== options.forgetsAfterSeconds)
    throw new Error(`the director took another timeout than it was told: ${said(console, 'set')}`);
  return {
    address: lent,
    outside: server,
    kernel: said(console, 'kernel'),
    defaultSeconds: tcpSeconds(said(console, 'by default')),
    stop: async () => {
      await host.stop();
      await lab.unlink(control, device);
      await lab.unlink(server, device);
      crossing.release();
    },
  };
}

function script({ inside, outside, lent }: Crossing, { port, forgetsAfterSeconds }: DirectorOptions): string {
  const addresses = (device: string, at: Addresses) =>
    withLength(at).map((address) => `ip addr add ${address} dev ${device}`);
  const balance = (service: string, server: string) => `ipvsadm -A -t ${service}:${port} -s rr
ipvsadm -a -t ${service}:${port} -r ${server}:${port} -m`;
  const show = (name: string) => `echo "${name}: $(ipvsadm -L --timeout)"`;
  return `
echo "kernel: $(uname -r)"
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0
sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth1.accept_dad=0
${addresses('eth0', inside.far).join('\n')}
${addresses('eth1', outside.near).join('\n')}
ip addr add ${lent.v4}/32 dev lo; ip addr add ${lent.v6}/128 dev lo
ip link set eth0 up; ip link set eth1 up
ip route add default via ${inside.near.v4}; ip -6 route add default via ${inside.near.v6}
${balance(lent.v4, outside.far.v4)}
${balance(`[${lent.v6}]`, `[${outside.far.v6}]`)}
${show('by default')}
ipvsadm --set ${forgetsAfterSeconds} 0 0
${show('set')}
`;
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

function folderOf(lab: Lab, name: string): string {
  const folder = join(lab.folder, 'guests', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
