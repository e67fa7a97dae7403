import { GROUP, VERSION } from '../api/group.ts';
import type { ApiClient } from '../kube/client.ts';
import { isForbidden, isNotFound, isUnauthorized } from '../kube/errors.ts';
import { resources } from './resource.ts';

export interface Installation {
  /** Of the DaemonSet that this agent belongs to. */
  readonly namespace: string;
  readonly name: string;
}

/**
 * `unauthorized`: the token is not known any more. It goes with the service account, in an uninstallation, and with
 * the pod that it was made for, where somebody deleted that by force: the two look alike from here.
 */
export type Word = boolean | 'unknown' | 'unauthorized';

/**
 * Whether an agent that is told to end is followed by another (an upgrade, a restart) or was uninstalled, in which
 * case what it changed must go back. `unknown` while the API server does not say; then the values stay, since a
 * connection that dies for nothing is worse than a small value that stays until the pod ends.
 *
 * An uninstallation takes the agent's own rights away in any order. Without its role (403), everybody who is known may
 * still ask which kinds there are, and those of a product that goes are gone.
 */
export async function isUninstalled(
  client: ApiClient,
  { namespace, name }: Installation,
  timeoutMs: number,
): Promise<Word> {
  try {
    const { metadata } = await client.get({ ...resources.daemonsets, namespace, name }, { timeoutMs });
    return metadata.deletionTimestamp !== undefined;
  } catch (error) {
    if (isNotFound(error)) return true;
    if (isUnauthorized(error)) return 'unauthorized';
    return isForbidden(error) ? kindsAreGone(client, timeoutMs) : 'unknown';
  }
}

async function kindsAreGone(client: ApiClient, timeoutMs: number): Promise<Word> {
  try {
    const kinds = await client.kindsOf({ group: GROUP, version: VERSION }, { timeoutMs });
    // Rights go before kinds do: where they are still there, the next moment may tell.
    return kinds.length === 0 ? true : 'unknown';
  } catch (error) {
    if (isUnauthorized(error)) return 'unauthorized';
    return isNotFound(error) ? true : 'unknown';
  }
}
