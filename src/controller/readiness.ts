import type { Watched } from '../kube/watched.ts';
import { notSynced, silent } from '../kube/watched.ts';
import type { AdmissionMode } from '../policy/mode.ts';
import type { ResourceName } from './resource.ts';

/** What an answer of the webhook is made of: what policies and their statuses say, and of what namespaces. */
const deciding: readonly ResourceName[] = ['keepalivepolicies', 'clusterkeepalivepolicies', 'namespaces'];
/** What API servers may cease to serve while a replica runs, and what only some of several serve in an upgrade. */
const policies: readonly ResourceName[] = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'];

const isOf = (names: readonly string[], { resource }: Watched) => names.includes(resource);

export function knowsEnoughToAnswer(watched: readonly Watched[]): boolean {
  return notSynced(watched.filter((one) => isOf(deciding, one))) === undefined;
}

/**
 * Why a replica is not ready. Where API servers ask it about new pods, they ask nobody else once no replica is: so one that has been
 * ready stays so, whatever else it may no longer read, for as long as it knows by what it answers. One that starts reads all that
 * its rights are for: a rollout that lacks some waits before it takes the place of replicas that act.
 */
export function unreadyOf(mode: AdmissionMode, watched: readonly Watched[]) {
  if (mode === 'policy') return { synced: () => notSynced(watched), contact: () => silent(watched) };
  const atFirst = watched.filter((one) => !isOf(policies, one));
  const always = watched.filter((one) => isOf(deciding, one));
  return { synced: () => notSynced(atFirst), contact: () => silent(always) };
}
