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
  const served = await answered(() => servedKinds(client, signal), { log, signal });
  if (served === undefined) return undefined;
  const servesPolicies = hasPolicies(served);
  const mode = wanted === 'auto' ? (servesPolicies ? 'policy' : 'webhook') : wanted;
  log.info({ mode, wanted, servesPolicies }, 'what new pods are changed by');
  return { mode, servesPolicies };
}

/** A cluster is upgraded once in months, and hardly ever goes back. */
const againMs = 600_000;

/** Resolves once the API server says otherwise than at the start, or as soon as `signal` aborts. What is no plain answer is none. */
export async function untilServedOtherwise(
  client: ApiClient,
  { servesPolicies }: Pick<Admission, 'servesPolicies'>,
  { clock, signal, random = Math.random }: { clock: Clock; signal: AbortSignal; random?: () => number },
): Promise<void> {
  let isSame = true;
  while (isSame && !signal.aborted) {
    // Replicas must not all hear of it in the same moment.
    await sleep(clock, againMs * (1 + random()), signal);
    if (signal.aborted) return;
    const served = await servedKinds(client, signal).catch(() => [] as string[]);
    // A list without what every version has is that of something else, or of nobody.
    const isPlain = served.includes(resources.mutatingwebhookconfigurations.plural);
    isSame = !isPlain || hasPolicies(served) === servesPolicies;
  }
}

function servedKinds(client: ApiClient, signal: AbortSignal): Promise<string[]> {
  return client.kindsOf(admissionGroup, { signal });
}

function hasPolicies(served: readonly string[]): boolean {
  return served.includes(resources.mutatingadmissionpolicies.plural);
}
