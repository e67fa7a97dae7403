import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { NamespaceView } from '../policy/pod.ts';
import { labelledRecord } from '../policy/record.ts';
import { resources } from './resource.ts';

/** What is left of a second that the API server waits for us. */
const timeoutMs = 400;
const mostUnderWay = 8;
/** Longer than the watch needs to tell of one that was made just after it was asked for. */
const missingMs = 1_500;
const mostMissing = 64;

interface NewNamespacesOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly onFailed: (name: string, error: Error) => void;
}

/**
 * Namespaces that were made a moment ago, of which the watch has not told yet. Whoever reaches the webhook can name others than there
 * are, as many as he likes: what that makes us ask is bounded, at a time and in all, and so is what we remember of it.
 */
export class NewNamespaces {
  readonly #options: NewNamespacesOptions;
  readonly #underWay = new Map<string, Promise<NamespaceView | undefined>>();
  /** Until when each is taken to be missing, the soonest first. */
  readonly #missing = new Map<string, number>();

  constructor(options: NewNamespacesOptions) {
    this.#options = options;
  }

  /** Undefined where there is none, where nobody says so in time, and where too many are asked for. */
  find(name: string): Promise<NamespaceView | undefined> {
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    this.#forget();
    const isTooMuch = this.#underWay.size >= mostUnderWay || this.#missing.size >= mostMissing;
    if (isTooMuch || this.#missing.has(name)) return Promise.resolve(undefined);
    const asked = this.#ask(name);
    this.#underWay.set(name, asked);
    return asked;
  }

  async #ask(name: string): Promise<NamespaceView | undefined> {
    const { client, clock, onFailed } = this.#options;
    // As a list, which is the right that there is.
    const query = { fieldSelector: `metadata.name=${name}` };
    const found = await client.listPage(resources.namespaces, query, { timeoutMs }).then(
      ({ items: [first] }) => first && labelledRecord(first),
      (error: unknown) => void onFailed(name, error as Error),
    );
    if (found === undefined) this.#missing.set(name, clock.now() + missingMs);
    this.#underWay.delete(name);
    return found;
  }

  #forget(): void {
    const now = this.#options.clock.now();
    for (const [name, until] of this.#missing) {
      if (until > now) return;
      this.#missing.delete(name);
    }
  }
}
