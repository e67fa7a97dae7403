import { join } from 'node:path';

import { addressing } from '../cluster/addresses.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { kubeRouter } from '../cluster/program.ts';
import { layOver, unpacked } from '../cluster/unpacked.ts';
import { all } from '../cluster/wait.ts';

const program = kubeRouter();
/** It keeps the addresses of pods in sets of the kernel. */
const sets = unpacked('ipset', ['ipset']);

/** What has to be there before `startFirewalls`. */
export const firewallNeeds = { programs: [program], unpacked: [sets] };

/**
 * Has NetworkPolicy enforced on every node, between pods of one node too, by kube-router; it ends with the cluster. For IPv4 alone: none of
 * its rules lets ICMPv6 pass, by which neighbours are found.
 */
export function startFirewalls(cluster: Cluster): Promise<void> {
  return all(cluster.nodes.map((node) => startFirewall(cluster, node)));
}

async function startFirewall(cluster: Cluster, node: string): Promise<void> {
  const { folder, state } = cluster.lab;
  const host = await cluster.lab.host(node);
  await layOver(host, sets);
  // Else what goes from pod to pod of one node passes no rule. Linux has it so, and some distributions have not.
  await host.sysctl({ 'net.bridge.bridge-nf-call-iptables': 1 });
  await host.start(
    [
      join(program.place, 'kube-router'),
      ...[`--kubeconfig=${cluster.kubeconfig}`, `--hostname-override=${node}`],
      `--service-cluster-ip-range=${addressing(state.family).services}`,
    ],
    { logFile: join(folder, 'log', node, 'kube-router.log'), env: cluster.environment() },
  );
}
