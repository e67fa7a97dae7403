import { admissionGroup } from '../kube/built-in.ts';
import type { ApiClient } from '../kube/client.ts';
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
  const served = await answered(() => client.kindsOf(admissionGroup, { signal }), { log, signal });
  if (served === undefined) return undefined;
  const servesPolicies = served.includes(resources.mutatingadmissionpolicies.plural);
  const mode = wanted === 'auto' ? (servesPolicies ? 'policy' : 'webhook') : wanted;
  log.info({ mode, wanted, servesPolicies }, 'what new pods are changed by');
  return { mode, servesPolicies };
}
