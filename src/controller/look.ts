import type { ApiClient } from '../kube/client.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Circumstances, Plan } from '../policy/plan.ts';
import { plan } from '../policy/plan.ts';
import type { WaitedFor } from '../policy/waited-for.ts';
import type { Activations } from './activation.ts';
import { resources } from './resource.ts';
import type { Occasion, Words, World } from './world.ts';

export interface LooksOptions {
  readonly client: ApiClient;
  readonly world: World;
  readonly activations: Activations;
  readonly evidenceOf: (policy: string) => Evidence;
  /** Resources of which nothing was heard for long. */
  readonly unheard: () => readonly string[];
}

export interface Look {
  readonly circumstances: Circumstances;
  readonly planned: Plan;
}

/** Gathers all that is known of one policy, and decides what is to be done. */
export class Looks {
  readonly #options: LooksOptions;
  /**
   * By policy. Only of one that was edited just now they are many, and each is a reference of 8 bytes: 100 policies of the whole cluster
   * that are edited at once have 4 MB of 5000 nodes, for as long as these take to tell.
   */
  readonly #waitedFor = new Map<string, WaitedFor>();

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  /**
   * Words of agents that are not at hand are read before they are told. `another`: the policy changed meanwhile; undefined: it
   * is not there any more.
   */
  async at(key: string): Promise<Look | 'another' | undefined> {
    const read = new Set<string>();
    for (;;) {
      const words = { asked: new Set<string>(), missing: new Set<string>(), read };
      // It takes as long as the policy has nodes: several looks in one turn of the event loop would hold up all else.
      const look = await this.#options.world.counts.settle(key, () => this.#plan(key, words));
      if (look === 'another') return look;
      if (words.missing.size === 0) return this.#noted(key, look);
      await this.#readWords(key, words.missing);
      // Meanwhile it may be the turn of others: these are read as well, each node once.
      for (const node of words.missing) read.add(node);
    }
  }

  #plan(key: string, words: Words): Look | undefined {
    const { client, world, activations, evidenceOf, unheard } = this.#options;
    const occasion: Occasion = {
      ...{ now: client.time.now(), activatingForMs: activations.ofMs(key), evidence: evidenceOf(key) },
      ...{ waitedFor: this.#waitedFor.get(key), unheard: unheard() },
    };
    const circumstances = world.gather(key, occasion, words);
    const look = circumstances && { circumstances, planned: plan(circumstances) };
    world.told.needs(key, words.asked);
    return look;
  }

  #noted(key: string, look: Look | undefined): Look | undefined {
    const waitedFor = look?.planned.waitedFor;
    if (waitedFor === undefined) this.#waitedFor.delete(key);
    else this.#waitedFor.set(key, waitedFor);
    return look;
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
