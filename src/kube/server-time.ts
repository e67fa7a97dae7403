import type { ApiClient } from './client.ts';
import type { Clock } from './clock.ts';
import { isForbidden, isNotFound } from './errors.ts';

/** How long an answer is gone on from: a clock may be put right meanwhile. */
const trustedMs = 60_000;

/**
 * What time the API server has, which judges by it what is valid: the clock of the machine that this runs on may be ahead by hours.
 * The own one where the API server does not say, or may not be asked.
 */
export class ServerTime {
  readonly #client: ApiClient;
  readonly #clock: Clock;
  #heard: { readonly dateMs: number; readonly at: number } | undefined;

  constructor(client: ApiClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async now(signal: AbortSignal): Promise<Date> {
    const at = this.#clock.now();
    if (this.#heard === undefined || at - this.#heard.at > trustedMs) {
      const dateMs = await this.#ask(signal);
      this.#heard = dateMs === undefined ? undefined : { dateMs, at };
    }
    const heard = this.#heard;
    return heard === undefined ? new Date() : new Date(heard.dateMs + (this.#clock.now() - heard.at));
  }

  async #ask(signal: AbortSignal): Promise<number | undefined> {
    try {
      return (await this.#client.serverVersion({ signal })).dateMs;
    } catch (error) {
      if (isForbidden(error) || isNotFound(error)) return undefined;
      throw error;
    }
  }
}
