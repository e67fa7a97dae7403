import { Cluster } from '../cluster/cluster.ts';
import { liveTimes } from './agent-live.ts';
import { namespaceCosts } from './agent-namespaces.ts';
import { underEvents } from './agent-events.ts';
import { readyTimes } from './agent-ready.ts';
import { atRest } from './agent-rest.ts';
import { NodeCrowd } from './node-crowd.ts';
import type { Bench, Result } from './result.ts';

const sizes = [250, 1000] as const;

/**
 * What the node agent costs, beside a DaemonSet that loops over nsenter and a bare Node process. It is the real pod
 * of a real node; where there are more pods than this machine could run, the node's kubelet is stopped, and their
 * sandboxes and their objects in the API are made by hand.
 */
export const agent: Bench = async (say) => {
  const results: Result[] = [];
  for (const size of sizes) results.push(await namespaceCosts(size, say));
  const cluster = await Cluster.up({ name: 'bench-agent', owned: true });
  try {
    await cluster.install();
    results.push(await readyTimes(cluster, say));
    const resources = await atRest(cluster, say);
    const crowd = await NodeCrowd.gather(cluster);
    try {
      for (const size of sizes) {
        say(`${size} pods on the node`);
        await crowd.grow(size);
        results.push(await liveTimes(crowd, say));
        resources.push(await underEvents(crowd, say));
      }
    } finally {
      await crowd.close();
    }
    results.push({
      bench: 'agent',
      setting: `its pod on a node, Kubernetes ${cluster.kubernetes}; memory at the end of the time over which the share of a core was taken`,
      rows: resources,
    });
  } finally {
    await cluster.down();
  }
  return results;
};
