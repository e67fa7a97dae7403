import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Family } from './addresses.ts';
import { addressesOf, control, wired } from './addresses.ts';
import { cgroupOf, createCgroup, removeCgroups } from './cgroups.ts';
import { nodeFolder } from './components.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';
import { nodeFiles, staticPodsFolder } from './node-files.ts';
import { membersOf } from './roster.ts';

/** Starts the host of a node, wired and configured; its programs are started by the cluster. */
export async function startNodeHost(lab: Lab, node: string): Promise<Host> {
  const index = indexOf(lab, node);
  const cgroup = cgroupOf(lab.name, node);
  const folder = nodeFolder(lab.folder, node);
  for (const own of [join(folder, 'lib'), join(folder, 'log'), staticPodsFolder(folder)])
    mkdirSync(own, { recursive: true });
  for (const [name, text] of Object.entries(
    nodeFiles({ folder: lab.folder, node, index, cgroup, family: lab.state.family }),
  )) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  createCgroup(cgroup);
  const host = await lab.host(node, ownFolders(folder));
  await wire(lab, host, index);
  return host;
}

/** As a machine that loses power and comes back: all its processes end at once, its disk stays. */
export async function stopNodeHost(lab: Lab, node: string): Promise<void> {
  await (await lab.host(node)).stop();
  await lab.unlink(await lab.host('control'), cableTo(node));
  await removeCgroups(lab.name, node);
}

/** Reads the archive here, so that it may lie where the node has folders of its own. */
export async function importImage(host: Host, archive: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = host.spawn(['ctr', '-n', 'k8s.io', 'images', 'import', '-'], { env, cwd: '/' });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ended = new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  child.stdin?.on('error', () => undefined);
  const file = createReadStream(archive);
  const unreadable = new Promise<never>((_, reject) => file.once('error', reject));
  file.pipe(child.stdin as NodeJS.WritableStream);
  const code = await Promise.race([ended, unreadable]).finally(() => child.kill());
  if (code !== 0) throw new Error(`${host.name} does not take the image ${archive}: ${said.join('').trim()}`);
}

/** Everything Kubernetes keeps on a node goes to the state folder; the paths are the usual ones. systemd would mount the file system for BPF. */
function ownFolders(folder: string): string {
  return `mount --bind '${folder}/lib' /var/lib; mount --bind '${folder}/log' /var/log
    mkdir -p /run/netns /run/lock; mount --bind /run/netns /run/netns; mount --make-shared /run/netns
    mount -t bpf bpf /sys/fs/bpf
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`;
}

function cableTo(node: string): string {
  return `to-${node}`;
}

async function wire(lab: Lab, host: Host, index: number): Promise<void> {
  const { family } = lab.state;
  const { v4, v6 } = addressesOf(index);
  const bridge = await lab.host('control');
  await lab.link(
    { host: bridge, device: cableTo(host.name), addresses: [] },
    { host, device: 'eth0', addresses: wired({ v4: `${v4}/24`, v6: `${v6}/64` }, family) },
  );
  await bridge.ip(`link set ${cableTo(host.name)} master lan`);
  await host.ip(
    ...wired(control, family).map((via) => `route add default via ${via}`),
    ...routesToOthers(lab, index),
  );
  await host.nft(leaveTable(index));
}

/** For nft: a pod keeps its address within the cluster and has its node's beyond it. */
export function leaveTable(index: number): string {
  const { pods } = addressesOf(index);
  return `table inet lab {
    chain leave {
      type nat hook postrouting priority srcnat
      ip saddr ${pods.v4} ip daddr != { 10.244.0.0/16, 10.99.0.0/24 } masquerade
      ip6 saddr ${pods.v6} ip6 daddr != { fd00:244::/32, fd00:99::/64 } masquerade
    }
  }
  `;
}

function routesToOthers(lab: Lab, index: number): string[] {
  const others = membersOf(lab.state).filter((member) => member.index !== index);
  return others.flatMap((member) => podRoutes(member.index, lab.state.family));
}

/** How the pods of the n-th node are reached. */
export function podRoutes(index: number, family: Family): string[] {
  const { v4, v6, pods } = addressesOf(index);
  return wired({ v4: `route add ${pods.v4} via ${v4}`, v6: `route add ${pods.v6} via ${v6}` }, family);
}

function indexOf(lab: Lab, node: string): number {
  const at = lab.state.nodes.indexOf(node);
  if (at < 0)
    throw new Error(`cluster ${lab.name} has no node ${node}: there are ${lab.state.nodes.join(', ')}`);
  return at + 1;
}
