import type { Draft } from './finding.ts';
import type { EffectivePolicy } from './policy.ts';

/** Something of the node itself that forgets idle connections. */
export interface TrackerView {
  readonly type: 'Conntrack' | 'IPVS';
  readonly idleTimeoutSeconds: number;
  /** Where the number was read. */
  readonly source: string;
}

/** What a kube-proxy said of itself. */
export interface KubeProxyView {
  /** `iptables`, `ipvs`, `nftables`. */
  readonly mode: string;
  /** As configured, such as `15m0s`; `0s` leaves what the kernel has. */
  readonly ipvsTcpTimeout?: string;
  readonly conntrackTcpEstablishedTimeout?: string;
}

/** What was found on a node without being asked for; nothing is changed by it. */
export interface Discovery {
  readonly trackers: readonly TrackerView[];
  readonly kubeProxy: KubeProxyView | undefined;
}

/** Trackers of the node that forget sooner than anything that the policy declares: its values are made for more. */
export function shorterTrackers(
  { effective }: EffectivePolicy,
  trackers: readonly TrackerView[],
  node: string,
): Draft[] {
  return trackers
    .filter(({ idleTimeoutSeconds }) => idleTimeoutSeconds < effective.idleTimeoutSeconds)
    .map(({ type, idleTimeoutSeconds, source }) => ({
      ...{ reason: 'ShorterTrackerOnNode', node },
      say: () =>
        `the node itself forgets an idle connection after ${idleTimeoutSeconds} s (${type}, ${source}), sooner than ` +
        `the ${effective.idleTimeoutSeconds} s of ${effective.limitedBy}: where these connections pass it, declare a ` +
        `hop {name: this-node, type: ${type}, idleTimeoutSeconds: ${idleTimeoutSeconds}}`,
    }));
}

/** Of the text of kube-proxy's `/proxyMode` and `/configz`; undefined where it said no mode. */
export function kubeProxyOf(
  mode: string | undefined,
  configz: string | undefined,
): KubeProxyView | undefined {
  if (mode === undefined || !/^[a-z]{1,20}$/.test(mode.trim())) return undefined;
  const configuration = configurationOf(configz);
  const tcpTimeout = configuration.ipvs?.tcpTimeout;
  const tcpEstablishedTimeout = configuration.conntrack?.tcpEstablishedTimeout;
  return {
    mode: mode.trim(),
    ...(isDuration(tcpTimeout) ? { ipvsTcpTimeout: tcpTimeout } : {}),
    ...(isDuration(tcpEstablishedTimeout) ? { conntrackTcpEstablishedTimeout: tcpEstablishedTimeout } : {}),
  };
}

/** As Go writes them. Whoever listens on that port may answer anything of any length, and it would be reported. */
function isDuration(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9.hmsuµn]{1,40}$/.test(text);
}

interface Configuration {
  readonly ipvs?: { readonly tcpTimeout?: unknown } | null;
  readonly conntrack?: { readonly tcpEstablishedTimeout?: unknown } | null;
}

/** The one group in it has the version of kube-proxy's configuration as its name. */
function configurationOf(configz: string | undefined): Configuration {
  try {
    const groups = JSON.parse(configz ?? '{}') as Record<string, Configuration | null>;
    const [group] = Object.entries(groups).filter(([name]) => name.startsWith('kubeproxy'));
    return group?.[1] ?? {};
  } catch {
    return {};
  }
}
