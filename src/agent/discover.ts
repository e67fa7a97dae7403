import { closeSync } from 'node:fs';

import { getFromLoopback } from '../kernel/loopback.ts';
import { HomeNamespace } from '../kernel/network-namespace.ts';
import { firstProcess, withProcess } from '../kernel/process.ts';
import { readTrackers } from '../kernel/tracker.ts';
import type { Discovery } from '../policy/tracker.ts';
import { kubeProxyOf } from '../policy/tracker.ts';

/** kube-proxy's default `metricsBindAddress` is 127.0.0.1:10249. */
const kubeProxyPort = 10_249;

/** What the host's own network would forget, and how its kube-proxy is set. Only reads; blocks for a few seconds at most. */
export function discover(procRoot: string): Discovery {
  const home = new HomeNamespace();
  try {
    return (
      withProcess(procRoot, firstProcess, (process) => {
        const network = process.openNetworkNamespace();
        try {
          return home.away(network, () => {
            const trackers = readTrackers(procRoot);
            const mode = getFromLoopback(kubeProxyPort, '/proxyMode');
            const configz = mode === undefined ? undefined : getFromLoopback(kubeProxyPort, '/configz');
            return { trackers, kubeProxy: kubeProxyOf(mode, configz) };
          });
        } finally {
          closeSync(network);
        }
      }) ?? nothing
    );
  } finally {
    home.close();
  }
}

const nothing: Discovery = { trackers: [], kubeProxy: undefined };
