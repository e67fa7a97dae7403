/** What a guest has on its disk that is this one node's: as an administrator would have put it there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Family } from '../addresses.ts';
import { addressesOf, addressing } from '../addresses.ts';
import { pkiFolder } from '../components.ts';
import { pauseImage } from '../image.ts';
import { cni } from '../node-files.ts';
import { leaveTable } from '../node.ts';
import { kubeconfig } from '../pki.ts';
import type { Guest } from '../roster.ts';
import { crioToml } from './crio-toml.ts';
import type { GuestSpec } from './guest-spec.ts';
import { gvisorHandlers } from './guest-spec.ts';
import { unitFiles } from './units.ts';

export interface GuestFacts {
  readonly guest: Guest;
  readonly family: Family;
}

const keys = '/etc/kubernetes/pki';

/** Each by its path in the guest. */
export function guestFiles({ guest, family }: GuestFacts): Record<string, string> {
  const { name, index, spec } = guest;
  const { apiServer, dns, pods, nodeIps } = addressing(family);
  const units = unitFiles({ spec, name, nodeIps: nodeIps(index), address: shellAddress(index, family) });
  return {
    '/etc/hostname': `${name}\n`,
    // An entry for the root would make systemd wait for udev.
    '/etc/fstab': '',
    '/etc/machine-id': '',
    '/etc/kubernetes/kubelet.kubeconfig': kubeconfig(keys, name, apiServer),
    '/etc/kubernetes/kube-proxy.kubeconfig': kubeconfig(keys, 'kube-proxy', apiServer),
    '/etc/kubernetes/kubelet.yaml': kubeletYaml(spec, dns),
    '/etc/kubernetes/kube-proxy.yaml': kubeProxyYaml(name, spec, pods),
    '/etc/kubernetes/resolv.conf': `nameserver ${dns}\n`,
    '/etc/cni/net.d/10-lab.conflist': JSON.stringify(cni(index, family)),
    '/etc/leave.nft': leaveTable(index),
    '/etc/sysctl.d/99-node.conf': 'net.ipv4.ip_forward=1\nnet.ipv6.conf.all.forwarding=1\n',
    '/etc/modules-load.d/node.conf': 'overlay\nbr_netfilter\nnf_tables\n',
    // Else udev gives each new veth a hardware address of its own making, and CRI-O finds another than it noted.
    '/etc/systemd/network/10-cni.link':
      '[Match]\nDriver=veth bridge\n[Link]\nNamePolicy=kernel\nMACAddressPolicy=none\n',
    ...runtimeFiles(spec),
    ...Object.fromEntries(Object.entries(units).map(([unit, text]) => [`/etc/systemd/system/${unit}`, text])),
  };
}

/** The keys that the lab's authority gave it. */
export function guestKeys(folder: string, name: string): Record<string, Buffer> {
  const names = ['ca.crt', ...[name, 'kube-proxy'].flatMap((user) => [`${user}.crt`, `${user}.key`])];
  return Object.fromEntries(
    names.map((file) => [join(keys, file), readFileSync(join(pkiFolder(folder), file))]),
  );
}

export function shellAddress(index: number, family: Family): string {
  const { v4, v6 } = addressesOf(index);
  return family === 'ipv6' ? v6 : v4;
}

function runtimeFiles(spec: GuestSpec): Record<string, string> {
  if (spec.runtime === 'containerd')
    return spec.gvisor
      ? {
          '/etc/containerd/config.toml': containerdToml + gvisorHandlers.map(gvisorToml).join(''),
          [gvisorFile]: gvisorConfig,
        }
      : { '/etc/containerd/config.toml': containerdToml };
  return {
    '/etc/crio/crio.conf': crioToml(spec),
    '/etc/containers/policy.json': '{"default": [{"type": "insecureAcceptAnything"}]}',
  };
}

function kubeletYaml({ runtime }: GuestSpec, dns: string): string {
  const socket = { containerd: '/run/containerd/containerd.sock', crio: '/run/crio/crio.sock' }[runtime];
  return `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
containerRuntimeEndpoint: unix://${socket}
failSwapOn: false
authentication: {x509: {clientCAFile: ${keys}/ca.crt}, webhook: {enabled: true}, anonymous: {enabled: false}}
authorization: {mode: Webhook}
clusterDNS: ["${dns}"]
clusterDomain: cluster.local
resolvConf: /etc/kubernetes/resolv.conf
staticPodPath: /etc/kubernetes/manifests
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
runtimeRequestTimeout: 10m
# To measure each pod's disk every ten seconds takes a tenth of what the kubelet takes at all.
localStorageCapacityIsolation: false
`;
}

/** Its rules for nftables are for Linux 5.13 and later. */
function kubeProxyYaml(name: string, { kernel }: GuestSpec, pods: string): string {
  return `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ${kernel === 'bullseye' ? 'iptables' : 'nftables'}
clientConnection: {kubeconfig: /etc/kubernetes/kube-proxy.kubeconfig}
clusterCIDR: "${pods}"
hostnameOverride: ${name}
`;
}

/** As it configures itself, but for the driver of systemd. AppArmor is on where the kernel has it. */
const containerdToml = `version = 3
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pauseImage}"
[plugins."io.containerd.cri.v1.runtime"]
  enable_unprivileged_ports = true
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "/etc/cni/net.d"
`;

const gvisorFile = '/etc/containerd/runsc.toml';
/** What needs no hardware. */
const gvisorConfig = `[runsc_config]
platform = "systrap"
systemd-cgroup = "true"
`;

function gvisorToml(handler: string): string {
  const runtime = `plugins."io.containerd.cri.v1.runtime".containerd.runtimes.${handler}`;
  return `[${runtime}]
  runtime_type = "io.containerd.runsc.v1"
[${runtime}.options]
  TypeUrl = "io.containerd.runsc.v1.options"
  ConfigPath = "${gvisorFile}"
`;
}
