import { sleep, systemClock } from '../kube/clock.ts';
import { Store } from '../kube/store.ts';
import type { Watched } from '../kube/watched.ts';
import type { Address } from '../ops/config.ts';
import type { ControllerMetrics } from '../ops/controller-metrics.ts';
import type { ResourceName } from './resource.ts';
import type { WatchOptions } from './watch.ts';
import { watchWebhook } from './watch.ts';
import { WebhookKeys } from './webhook-keys.ts';
import type { StoredSecret } from './webhook-secret.ts';
import { Webhook } from './webhook.ts';

const lingerMs = 5_000;

interface WebhookPartOptions {
  readonly watching: WatchOptions;
  readonly metrics: ControllerMetrics;
  readonly address: Address;
  readonly isSynced: () => boolean;
}

/** All that a controller has only where API servers ask it about new pods. */
export class WebhookPart {
  readonly watched: readonly Watched[];
  readonly #webhook: Webhook;
  readonly #keys: WebhookKeys;
  readonly #address: Address;

  constructor({ watching, metrics, address, isSynced }: WebhookPartOptions) {
    const { client, world, log } = watching;
    const secrets = new Store<StoredSecret>();
    this.watched = watchWebhook(watching, secrets);
    this.#webhook = new Webhook({
      ...{ client, world, secrets, clock: systemClock, log },
      ...{ metrics, isSynced },
    });
    this.#keys = new WebhookKeys({ client, world, secrets, clock: systemClock, log });
    this.#address = address;
  }

  /** Where it listens by then. */
  listen(): Promise<number> {
    return this.#webhook.listen(this.#address);
  }

  /** Sees to what can be trusted until `signal` aborts. */
  lead(signal: AbortSignal): Promise<void> {
    return this.#keys.run(signal);
  }

  changed(resource: ResourceName): void {
    if (resource === 'secrets') this.#webhook.secretChanged();
    if (resource === 'secrets' || resource === 'mutatingwebhookconfigurations') this.#keys.changed();
  }

  /** Asked to end, it still answers: until no API server calls it any more, which each of them learns in its own time. */
  linger(): Promise<void> {
    return sleep(systemClock, lingerMs, AbortSignal.any([]));
  }

  close(): Promise<void> {
    return this.#webhook.close();
  }
}
