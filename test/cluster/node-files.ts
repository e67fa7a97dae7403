/** What the programs of a node are configured with. */
import { join } from 'node:path';

import type { Family } from './addresses.ts';
import { addressesOf, addressing, registry, wired } from './addresses.ts';
import { nodeFolder, pkiFolder } from './components.ts';
import { pauseImage } from './image.ts';

export interface NodeFacts {
  /** The state folder of the cluster. */
  readonly folder: string;
  readonly node: string;
  /** From 1. */
  readonly index: number;
  readonly cgroup: string;
  readonly family: Family;
}

/** Each file by its path in the node's folder. */
export function nodeFiles({ folder, node, index, cgroup, family }: NodeFacts): Record<string, string> {
  const own = nodeFolder(folder, node);
  const { dns, pods } = addressing(family);
  return {
    'cni/10-lab.conflist': JSON.stringify(cni(index, family)),
    'containerd.toml': containerdToml(own),
    [`registries/${registry}/hosts.toml`]: `[host."http://${registry}"]\n  capabilities = ["pull", "resolve"]\n`,
    'kubelet.yaml': kubeletYaml({ folder, own, cgroup, dns }),
    'kube-proxy.yaml': kubeProxyYaml({ folder, node, pods }),
    // There is no DNS in the cluster: programs find the API server by KUBERNETES_SERVICE_HOST.
    'resolv.conf': `nameserver ${dns}\n`,
  };
}

/** How pods are wired. */
export function cni(index: number, family: Family) {
  const { pods } = addressesOf(index);
  const ipam = {
    type: 'host-local',
    ranges: wired(pods, family).map((subnet) => [{ subnet }]),
    routes: wired({ v4: '0.0.0.0/0', v6: '::/0' }, family).map((dst) => ({ dst })),
  };
  return {
    cniVersion: '0.4.0',
    name: 'lab',
    plugins: [
      // hairpinMode also turns off duplicate address detection, which would hold each pod up for a second.
      { type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function containerdToml(own: string): string {
  return `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "${own}/registries"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pauseImage}"
[plugins."io.containerd.cri.v1.runtime"]
  # Lowering a score takes CAP_SYS_RESOURCE, which root of a container or sandbox often lacks.
  restrict_oom_score_adj = true
  disable_apparmor = true
  enable_unprivileged_ports = true
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = false
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "${own}/cni"
`;
}

/** Pods that the kubelet runs from files, without the API server. */
export function staticPodsFolder(own: string): string {
  return join(own, 'static-pods');
}

function kubeletYaml(facts: Pick<NodeFacts, 'folder' | 'cgroup'> & { own: string; dns: string }): string {
  const { folder, own, cgroup, dns } = facts;
  return `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /${cgroup}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
failSwapOn: false
authentication: {x509: {clientCAFile: ${join(pkiFolder(folder), 'ca.crt')}}, webhook: {enabled: true}, anonymous: {enabled: false}}
authorization: {mode: Webhook}
clusterDNS: ["${dns}"]
clusterDomain: cluster.local
resolvConf: ${own}/resolv.conf
volumePluginDir: ${own}/volume-plugins
staticPodPath: ${staticPodsFolder(own)}
oomScoreAdj: 0
maxOpenFiles: 20000
maxPods: 300
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
enforceNodeAllocatable: [pods]
nodeStatusUpdateFrequency: 2s
serializeImagePulls: false
`;
}

function kubeProxyYaml({
  folder,
  node,
  pods,
}: Pick<NodeFacts, 'folder' | 'node'> & { pods: string }): string {
  return `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: ${join(pkiFolder(folder), 'kube-proxy.kubeconfig')}}
clusterCIDR: "${pods}"
hostnameOverride: ${node}
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
metricsBindAddress: 127.0.0.1:10249
`;
}
