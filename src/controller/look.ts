import type { ApiClient } from '../kube/client.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Circumstances, Plan } from '../policy/plan.ts';
import { plan } from '../policy/plan.ts';
import type { Activations } from './activation.ts';
import { resources } from './resource.ts';
import type { Words, World } from './world.ts';

export interface LooksOptions {
  readonly client: ApiClient;
  readonly world: World;
  readonly activations: Activations;
  readonly evidenceOf: (policy: string) => Evidence;
}

export interface Look {
  readonly circumstances: Circumstances;
  readonly planned: Plan;
}

/** Gathers all that is known of one policy, and decides what is to be done. */
export class Looks {
  readonly #options: LooksOptions;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  /**
   * Words of agents that are not at hand are read before they are told. `another`: the policy changed meanwhile; undefined: it
   * is not there any more.
   */
  async at(key: string): Promise<Look | 'another' | undefined> {
    const { counts, told } = this.#options.world;
    const read = new Set<string>();
    for (;;) {
      if (!(await counts.settle(key))) return 'another';
      const words = { asked: new Set<string>(), missing: new Set<string>(), read };
      const look = this.#plan(key, words);
      told.needs(key, words.asked);
      if (words.missing.size === 0) return look;
      await this.#readWords(key, words.missing);
      // Meanwhile it may be the turn of others: these are read as well, each node once.
      for (const node of words.missing) read.add(node);
    }
  }

  #plan(key: string, words: Words): Look | undefined {
    const { world, activations, evidenceOf } = this.#options;
    const time = { now: new Date(), activatingForMs: activations.ofMs(key), evidence: evidenceOf(key) };
    const circumstances = world.gather(key, time, words);
    return circumstances && { circumstances, planned: plan(circumstances) };
  }

  async #readWords(policy: string, nodes: ReadonlySet<string>): Promise<void> {
    const { client, world } = this.#options;
    const read = [...nodes].map(async (node) => {
      const query = { fieldSelector: `metadata.name=${node}` };
      const { items } = await client.listPage(resources.nodekeepalives, query);
      for (const item of items) world.reportRecord(item, policy);
    });
    await Promise.all(read);
  }
}
