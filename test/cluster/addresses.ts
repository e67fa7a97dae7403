/** The plan of addresses inside a lab. Each lab has networks of its own, so every cluster may use the same. */

/** The bridge between control plane and nodes: 10.99.0.0/24 and fd00:99::/64. */
export const control = { v4: '10.99.0.254', v6: 'fd00:99::fe' };

/** Where a registry is, in a lab that has one; nodes ask it by plain HTTP. */
export const registry = `${control.v4}:5000`;

export const podNetwork = { v4: '10.244.0.0/16', v6: 'fd00:244::/32' };

const serviceNetwork = { v4: '10.96.0.0/16', v6: 'fd00:96::/112' };

/** The address of the `kubernetes` service: the first of the service network. */
export const apiServices = { v4: '10.96.0.1', v6: 'fd00:96::1' };
export const serviceOfApi = apiServices.v4;

/** Nobody answers there. */
const dnsService = { v4: '10.96.0.10', v6: 'fd00:96::a' };

/**
 * ipv4: nodes and services have addresses of IPv4, pods of both families, as scenarios want them. dual: all have both,
 * IPv4 first. ipv6: nothing in the cluster has an address of IPv4, but for the loopback.
 */
export const families = ['ipv4', 'ipv6', 'dual'] as const;
export type Family = (typeof families)[number];

interface Pair {
  readonly v4: string;
  readonly v6: string;
}

/** What cables and pods are given. */
export function wired({ v4, v6 }: Pair, family: Family): string[] {
  return family === 'ipv6' ? [v6] : [v4, v6];
}

/** What Kubernetes is told of. */
function told({ v4, v6 }: Pair, family: Family): string[] {
  return { ipv4: [v4], ipv6: [v6], dual: [v4, v6] }[family];
}

export function addressing(family: Family) {
  const [server = ''] = told(control, family);
  return {
    server,
    apiServer: `https://${server.includes(':') ? `[${server}]` : server}:6443`,
    services: told(serviceNetwork, family).join(','),
    pods: told(podNetwork, family).join(','),
    dns: told(dnsService, family)[0] ?? '',
    nodeIps: (index: number) => told(addressesOf(index), family).join(','),
  };
}

/** The n-th node: its addresses on the bridge and its pods' networks. Nodes count from 1. */
export function addressesOf(index: number) {
  return {
    v4: `10.99.0.${index}`,
    v6: `fd00:99::${index.toString(16)}`,
    pods: { v4: `10.244.${index}.0/24`, v6: `fd00:244:0:${index.toString(16)}::/64` },
  };
}
