import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { podNetwork } from './addresses.ts';
import { pkiFolder } from './components.ts';
import type { Duty } from './guest.ts';
import type { Lab } from './lab.ts';

export interface IpvsProxyOptions {
  readonly tcpTimeoutSeconds: number;
  /** Virtual addresses that are not its own: it would remove what it does not know. */
  readonly leaveAlone: readonly string[];
  /** It waits until it serves this port of the node. */
  readonly nodePort: number;
}

const configuration = '/etc/kube-proxy.yaml';
/** What its first rules for IPVS ask for: iptables over nftables, and sets. */
const modules = [
  ...['nf_tables', 'nft_compat', 'nft_chain_nat', 'xt_addrtype', 'xt_comment', 'xt_conntrack', 'xt_mark'],
  ...['xt_MASQUERADE', 'xt_nat', 'xt_set', 'ipt_REJECT', 'ip6t_REJECT', 'dummy', 'ip_set_bitmap_port'],
  ...['ip_set_hash_ip', 'ip_set_hash_ipport', 'ip_set_hash_ipportip', 'ip_set_hash_ipportnet'],
];
const iptables = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);

/** A kube-proxy in IPVS mode for the guest: the cluster's own program, which takes its services from the API server. */
export function ipvsProxy(lab: Lab, folder: string, options: IpvsProxyOptions): Duty {
  const pki = (name: string) => join(pkiFolder(lab.folder), name);
  const keys = ['ca.crt', 'kube-proxy.crt', 'kube-proxy.key', 'kube-proxy.kubeconfig'].map(pki);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'kube-proxy.yaml');
  writeFileSync(file, yaml(pki('kube-proxy.kubeconfig'), lab.state.nodes[0] ?? '', options));
  // iptables loads its extensions by name: ldd does not know of them.
  const extensions = globSync('/usr/lib/*/xtables/*.so');
  const program = globSync(lab.state.programs.map((place) => join(place, 'kube-proxy')));
  return {
    modules,
    programs: ['/usr/sbin/ipset', ...iptables.map((name) => join('/usr/sbin', name))],
    files: {
      ...Object.fromEntries([...keys, ...extensions].map((path) => [path, path])),
      [configuration]: file,
      '/etc/protocols': '/etc/protocols',
      ...Object.fromEntries(program.map((path) => [join('/usr/bin', basename(path)), path])),
    },
    script: `
kube-proxy --config ${configuration} > /run/kube-proxy.log 2>&1 &
patiently wget -qO- http://127.0.0.1:10249/configz
echo "configz: $(cat /tmp/said)"
patiently sh -c 'ipvsadm -Ln | grep ":${options.nodePort} "'
`,
  };
}

function yaml(kubeconfig: string, node: string, { tcpTimeoutSeconds, leaveAlone }: IpvsProxyOptions): string {
  return `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ipvs
ipvs: {tcpTimeout: ${tcpTimeoutSeconds}s, excludeCIDRs: ${JSON.stringify(leaveAlone)}}
clientConnection: {kubeconfig: ${kubeconfig}}
clusterCIDR: ${podNetwork.v4}
# It is no node of the cluster; a kube-proxy waits for the Node of its name.
hostnameOverride: ${node}
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
metricsBindAddress: 127.0.0.1:10249
`;
}
