import { setTimeout as delay } from 'node:timers/promises';

import { Agent, request } from 'undici';

import type { Cluster } from '../cluster/cluster.ts';
import { sleeper } from '../e2e/shared.ts';

/** So often a pod is made, in a dry run: whoever makes them has to leave the processor to whom it asks. */
const everyMs = 50;

/** What becomes of pods that are made in a namespace, in dry runs: without kubectl, which takes longer than its answer. */
export class Passing {
  readonly #sockets: Agent;
  readonly #namespace: string;

  constructor(cluster: Cluster, namespace: string) {
    this.#sockets = new Agent({ connect: { socketPath: cluster.apiSocket } });
    this.#namespace = namespace;
  }

  /** Of pods that are made one after the other, for as long as something goes on and a while after. */
  async during(act: () => Promise<unknown>): Promise<{ given: number; passed: number }> {
    const seen = { given: 0, passed: 0 };
    let left = Infinity;
    const asking = (async () => {
      for (; left > 0; left -= 1) {
        seen[(await this.isGiven()) ? 'given' : 'passed'] += 1;
        await delay(everyMs);
      }
    })();
    try {
      await act();
    } finally {
      left = 20;
      await asking;
    }
    return seen;
  }

  /** Whether one would have the values. */
  async isGiven(): Promise<boolean> {
    const { statusCode, body } = await request(
      `http://localhost/api/v1/namespaces/${this.#namespace}/pods?dryRun=All`,
      {
        dispatcher: this.#sockets,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(sleeper('passing', this.#namespace)),
      },
    );
    const text = await body.text();
    if (statusCode !== 201) throw new Error(`${statusCode}: ${text}`);
    return text.includes('tcp_keepalive_time');
  }

  async close(): Promise<void> {
    await this.#sockets.close();
  }
}
