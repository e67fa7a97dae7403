import { backOffMs } from './backoff.ts';
import type { ApiClient } from './client.ts';
import { sleep, systemClock } from './clock.ts';
import { isForbidden, isNotFound } from './errors.ts';
import type { Log } from './log.ts';
import type { Resource } from './resource.ts';

/** The cluster lacks something that only a person can install; its message says how. For standard error, without a stack. */
export class RequirementError extends Error {
  override readonly name = 'RequirementError';
}

export interface Requirement {
  readonly resource: Resource;
  /** Of the one object that is asked for, where the right to ask is bound to it: without that right it is as not served. */
  readonly name?: string;
  /** What to do where the API server does not serve it. */
  readonly remedy: string;
}

interface Circumstances {
  readonly log: Log;
  readonly signal: AbortSignal;
}

const retry = { minMs: 1000, maxMs: 30_000 };

/**
 * Asks until the API server answers. False when `signal` aborts before it does; rejects with a RequirementError
 * where it answers that it lacks a kind.
 */
export async function requirementsHold(
  client: ApiClient,
  requirements: readonly Requirement[],
  circumstances: Circumstances,
): Promise<boolean> {
  const check = async () => {
    await checkRequirements(client, requirements, circumstances.signal);
    return true;
  };
  return (await answered(check, circumstances)) ?? false;
}

/**
 * Asks until there is an answer; undefined when `signal` aborts before. A RequirementError is an answer, after some
 * seconds in which rights that were granted a moment ago are learned of.
 */
export async function answered<T>(
  ask: () => Promise<T>,
  { log, signal, patience = 0 }: Circumstances & { readonly patience?: number },
): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof RequirementError && failures >= patience) throw error;
      const delayMs = backOffMs(failures, retry, Math.random);
      if (!signal.aborted)
        log.warn({ reason: (error as Error).message, delayMs }, 'waiting for the API server');
      await sleep(systemClock, delayMs, signal);
    }
  }
  return undefined;
}

async function checkRequirements(
  client: ApiClient,
  requirements: readonly Requirement[],
  signal: AbortSignal,
): Promise<void> {
  for (const { resource, name, remedy } of requirements) {
    const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`;
    try {
      await client.listPage(resource, { limit: 1, fieldSelector }, { signal });
    } catch (error) {
      const isLacking = isNotFound(error) || (name !== undefined && isForbidden(error));
      throw isLacking ? new RequirementError(remedy) : error;
    }
  }
}
