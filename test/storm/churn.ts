import { setTimeout as delay } from 'node:timers/promises';

import type { ApiClient } from '../../src/kube/client.ts';
import { isNotFound, retryAfterMs } from '../../src/kube/errors.ts';
import type { PodPlan, Size } from './crowd.ts';
import { mixed, nodeName, podObject, podPlan, resourceOf, runningStatus } from './crowd.ts';

/** Under way at the same time, at most: a slow API server makes fewer pods, not a heap of requests. */
const width = 16;

export interface Order {
  readonly steps: number;
  readonly perSecond: number;
  readonly atMostSeconds?: number;
  /** Connections are counted for so long, whether pods come and go or not. */
  readonly leastSeconds?: number;
  /** Connections are counted on when it is over, until the next order. */
  readonly countsOn?: boolean;
}

/** Rollouts without end: a pod goes and another of its workload comes, elsewhere, so many times a second. */
export class Churn {
  readonly #client: ApiClient;
  readonly #size: Size;
  /** What the next step puts another in the place of. */
  readonly #pods: PodPlan[];
  #steps = 0;
  #failures = 0;

  constructor(client: ApiClient, size: Size) {
    this.#client = client;
    this.#size = size;
    this.#pods = Array.from({ length: size.pods }, (_, index) => podPlan(index, size));
  }

  /** Resolves when so many steps were made, those that failed included, or as many as there was time for. */
  async run({ steps, perSecond, atMostSeconds = Infinity }: Order): Promise<{ readonly failures: number }> {
    const end = this.#steps + steps;
    const lastMs = performance.now() + atMostSeconds * 1000;
    const worker = async () => {
      while (this.#steps < end && performance.now() < lastMs) {
        const startedAt = performance.now();
        await this.#step(this.#steps++).catch(async (error: unknown) => {
          this.#failures += 1;
          await delay(Math.max(200, retryAfterMs(error)));
        });
        await delay(Math.max(0, (width * 1000) / perSecond - (performance.now() - startedAt)));
      }
    };
    await Promise.all(Array.from({ length: width }, worker));
    return { failures: this.#failures };
  }

  async #step(step: number): Promise<void> {
    const at = (step * 7919) % this.#pods.length;
    const gone = this.#pods[at];
    if (gone === undefined) return;
    const workload = gone.name.split('-').slice(0, 2).join('-');
    const node = nodeName(mixed('step', step, this.#size.nodes));
    const next = { ...gone, node, name: `${workload}-7f9c6b5d44-${step}` };
    const client = this.#client;
    const inSpace = { ...resourceOf.pods, namespace: gone.namespace };
    await client.delete({ ...inSpace, name: gone.name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    this.#pods[at] = next;
    const made = await client.create(inSpace, podObject(next));
    const target = { ...inSpace, name: next.name, uid: made.metadata.uid };
    await client.replaceStatus(target, runningStatus, { fieldManager: 'storm' });
  }
}
