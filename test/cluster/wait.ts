import { setTimeout as delay } from 'node:timers/promises';

export interface Patience {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
}

type Answer<T> = T | undefined | false;

/** Asks again until `condition` gives a value; throws with `what` when it does not in time. */
export async function until<T>(
  what: string,
  condition: () => Answer<T> | Promise<Answer<T>>,
  { timeoutMs = 60_000, everyMs = 20, signal }: Patience = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain for: ${what}`);
    await delay(everyMs);
  }
}

/** Waits for every one, then throws the first failure: nothing goes on behind the back of what cleans up. */
export async function all(promises: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
