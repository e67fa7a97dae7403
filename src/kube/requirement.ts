import { backOffMs } from './backoff.ts';
import type { ApiClient } from './client.ts';
import { sleep, systemClock } from './clock.ts';
import { isNotFound } from './errors.ts';
import type { Log } from './log.ts';
import type { Resource } from './resource.ts';

/** The cluster lacks something that only a person can install; its message says how. For standard error, without a stack. */
export class RequirementError extends Error {
  override readonly name = 'RequirementError';
}

export interface Requirement {
  readonly resource: Resource;
  /** What to do where the API server does not serve it. */
  readonly remedy: string;
}

const retry = { minMs: 1000, maxMs: 30_000 };

/**
 * Asks until the API server answers. False when `signal` aborts before it does; rejects with a RequirementError
 * where it answers that it lacks a kind.
 */
export async function requirementsHold(
  client: ApiClient,
  requirements: readonly Requirement[],
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<boolean> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await checkRequirements(client, requirements, signal);
      return true;
    } catch (error) {
      if (error instanceof RequirementError) throw error;
      const delayMs = backOffMs(failures, retry, Math.random);
      if (!signal.aborted)
        log.warn({ reason: (error as Error).message, delayMs }, 'waiting for the API server');
      await sleep(systemClock, delayMs, signal);
    }
  }
  return false;
}

async function checkRequirements(
  client: ApiClient,
  requirements: readonly Requirement[],
  signal: AbortSignal,
): Promise<void> {
  for (const { resource, remedy } of requirements) {
    try {
      await client.listPage(resource, { limit: 1 }, { signal });
    } catch (error) {
      throw isNotFound(error) ? new RequirementError(remedy) : error;
    }
  }
}
