import { admissionGroup } from '../kube/built-in.ts';
import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { sleep } from '../kube/clock.ts';
import { answered } from '../kube/requirement.ts';
import type { ControllerConfig } from '../ops/config.ts';
import type { Log } from '../ops/log.ts';
import type { AdmissionMode } from '../policy/mode.ts';
import { resources } from './resource.ts';

/** How new pods are changed in this cluster. */
export interface Admission {
  readonly mode: AdmissionMode;
  /** Whether the API server serves admission policies that change pods, whichever of the two changes them. */
  readonly servesPolicies: boolean;
}

/** Asks until the API server answers; undefined when `signal` aborts before. */
export async function findAdmission(
  client: ApiClient,
  wanted: ControllerConfig['admission'],
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<Admission | undefined> {
  const servesPolicies = await answered(() => arePoliciesServed(client, signal), { log, signal });
  if (servesPolicies === undefined) return undefined;
  const mode = wanted === 'auto' ? (servesPolicies ? 'policy' : 'webhook') : wanted;
  log.info({ mode, wanted, servesPolicies }, 'what new pods are changed by');
  return { mode, servesPolicies };
}

/** A cluster is upgraded once in months. */
const againMs = 600_000;

/** Resolves once the API server serves admission policies that change pods, or as soon as `signal` aborts. */
export async function untilPoliciesAreServed(
  client: ApiClient,
  { clock, signal, random = Math.random }: { clock: Clock; signal: AbortSignal; random?: () => number },
): Promise<void> {
  let areServed = false;
  while (!areServed && !signal.aborted) {
    // Replicas must not all hear of it in the same moment.
    await sleep(clock, againMs * (1 + random()), signal);
    if (!signal.aborted) areServed = await arePoliciesServed(client, signal).catch(() => false);
  }
}

async function arePoliciesServed(client: ApiClient, signal: AbortSignal): Promise<boolean> {
  const served = await client.kindsOf(admissionGroup, { signal });
  return served.includes(resources.mutatingadmissionpolicies.plural);
}
