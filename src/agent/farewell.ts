import { GROUP, VERSION } from '../api/group.ts';
import type { ApiClient } from '../kube/client.ts';
import { sleep, systemClock } from '../kube/clock.ts';
import { isForbidden, isNotFound, isUnauthorized } from '../kube/errors.ts';
import type { DaemonSetRecord } from '../policy/daemonset.ts';
import { daemonSetRecord } from '../policy/daemonset.ts';
import { resources } from './resource.ts';

/** What an agent that is told to end goes by. */
export interface Whereabouts {
  readonly namespace: string;
  /** Whether one of these DaemonSets makes another agent for the node. */
  isFollowed(daemonSets: Iterable<DaemonSetRecord>): boolean;
  /** Whether the watches have told that none does, or that the namespace goes with all that is in it. */
  hasSeenTheEnd(): boolean;
}

/** DaemonSets beside that of the agents: an overlay may have put them into a namespace of many. */
const pageLimit = 500;
/** Of the 30 s that a pod has to end: an API server that does not answer must leave time to restore. */
const farewell = { patienceMs: 15_000, askEveryMs: 1000, askTimeoutMs: 3000 };

/** {@link isUninstalled}, until it is known: the rights of the agent may be going at this moment, one after the other. */
export async function wasUninstalled(
  client: ApiClient,
  whereabouts: Whereabouts,
): Promise<boolean | 'unknown'> {
  const deadline = performance.now() + farewell.patienceMs;
  for (;;) {
    const answer = await isUninstalled(client, whereabouts, farewell.askTimeoutMs);
    if (typeof answer === 'boolean') return answer;
    if (performance.now() > deadline) return whereabouts.hasSeenTheEnd() || 'unknown';
    await sleep(systemClock, farewell.askEveryMs, new AbortController().signal);
  }
}

/**
 * Whether an agent that is told to end is followed by another (an upgrade, a restart) or was uninstalled, in which
 * case what it changed must go back. `unknown` while the API server does not say; then the values stay, since a
 * connection that dies for nothing is worse than a small value that stays until the pod ends.
 *
 * An uninstallation takes the agent's own rights away in any order. A watch that was open before goes on without them,
 * so what it told counts (403, 401); and everybody who is known may still ask which kinds there are, where those of a
 * product that goes are gone.
 */
export async function isUninstalled(
  client: ApiClient,
  whereabouts: Whereabouts,
  timeoutMs: number,
): Promise<boolean | 'unknown'> {
  const { namespace } = whereabouts;
  try {
    const target = { ...resources.daemonsets, namespace };
    const { items } = await client.listPage(target, { limit: pageLimit }, { timeoutMs });
    return !whereabouts.isFollowed(items.map(daemonSetRecord));
  } catch (error) {
    // The token goes with the service account, and with the pod that somebody deleted by force: it alone tells nothing.
    if (!isUnauthorized(error) && !isForbidden(error)) return 'unknown';
    return whereabouts.hasSeenTheEnd() || kindsAreGone(client, timeoutMs);
  }
}

async function kindsAreGone(client: ApiClient, timeoutMs: number): Promise<true | 'unknown'> {
  try {
    const kinds = await client.kindsOf({ group: GROUP, version: VERSION }, { timeoutMs });
    // Rights go before kinds do: where they are still there, the next moment may tell.
    return kinds.length === 0 ? true : 'unknown';
  } catch (error) {
    return isNotFound(error) ? true : 'unknown';
  }
}
