import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { sleep } from '../kube/clock.ts';
import { isNotFound } from '../kube/errors.ts';
import type { Log } from '../kube/log.ts';
import { resources } from './resource.ts';
import type { World } from './world.ts';

export interface LeftReportsOptions {
  readonly client: Pick<ApiClient, 'delete'>;
  readonly log: Log;
  readonly world: Pick<World, 'withoutAgents' | 'anyAgent' | 'daemonsets' | 'nodekeepalives'>;
  readonly clock: Clock;
}

/** An agent that is told to end has half of it, and takes its own report away where it still may. */
const everyMs = 60_000;

/**
 * Takes away what agents that are no more have told of their nodes, where whoever installed the controller says that there are none:
 * the rights of an agent may go before it does, and nobody else would ever look after its report.
 */
export class LeftReports {
  readonly #options: LeftReportsOptions;
  #refusal: string | undefined;

  constructor(options: LeftReportsOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { world, clock } = this.#options;
    while (world.withoutAgents && !signal.aborted) {
      await sleep(clock, everyMs, signal);
      if (!signal.aborted) await this.#remove(signal);
    }
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { client, log, world } = this.#options;
    // Somebody has brought some all the same: they would write it anew.
    if (world.anyAgent || world.daemonsets.size > 0) return;
    for (const { node: name, uid } of [...world.nodekeepalives.list()]) {
      if (signal.aborted) return;
      try {
        await client.delete({ ...resources.nodekeepalives, name }, { uid, signal });
        log.info({ node: name }, 'there are no agents: NodeKeepalive removed');
      } catch (error) {
        // What keeps one keeps them all, as a rule.
        if (!isNotFound(error)) return this.#tell((error as Error).message);
      }
    }
  }

  #tell(reason: string): void {
    if (reason === this.#refusal) return;
    this.#refusal = reason;
    this.#options.log.warn(
      { reason },
      'there are no agents, and what they reported cannot be removed: will try again',
    );
  }
}
