import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';
import type { Store } from '../kube/store.ts';
import type { Address } from '../ops/config.ts';
import type { Pair } from '../ops/certificate.ts';
import type { ControllerMetrics } from '../ops/controller-metrics.ts';
import type { WebhookMetrics } from '../ops/webhook-metrics.ts';
import { createWebhookMetrics } from '../ops/webhook-metrics.ts';
import { ReviewServer } from '../ops/review-server.ts';
import type { PodReview } from '../policy/review.ts';
import { answerPatch, answerTo, patchOf, readReview, uidIn } from '../policy/review.ts';
import { webhookPaths } from '../policy/webhook.ts';
import { NewNamespaces } from './new-namespaces.ts';
import { Seldom } from './seldom.ts';
import type { StoredSecret } from './webhook-secret.ts';
import type { World } from './world.ts';

export interface WebhookOptions {
  readonly client: ApiClient;
  readonly world: World;
  readonly secrets: Store<StoredSecret>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ControllerMetrics;
  /** Everything is known that policies and namespaces say. */
  readonly isSynced: () => boolean;
}

type Told = 'changed' | 'left' | 'question' | 'unready' | 'unknown' | 'refused' | 'failed';
interface Outcome {
  readonly told: Told;
  readonly patch: ReturnType<typeof patchOf>;
}

const untouched = (told: Told): Outcome => ({ told, patch: [] });

/** Answers API servers in every replica, whoever leads: what becomes of a pod that is created, by what this replica knows. */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #metrics: WebhookMetrics;
  readonly #seldom: Seldom;
  readonly #newNamespaces: NewNamespaces;
  #server: ReviewServer | undefined;
  #served: Pair | undefined;

  constructor(options: WebhookOptions) {
    const { client, clock, log } = options;
    this.#options = options;
    this.#metrics = createWebhookMetrics(options.metrics, () => this.#served?.untilMs);
    this.#seldom = new Seldom(clock, log);
    this.#newNamespaces = new NewNamespaces({
      ...{ client, clock },
      onFailed: (namespace, { message }) => {
        this.#seldom.warn({ namespace, reason: message }, 'a new namespace could not be read');
      },
    });
  }

  async listen(address: Address): Promise<number> {
    const { log } = this.#options;
    this.#server = await ReviewServer.start({
      ...address,
      answer: (path, body) => this.#answer(path, body),
      onRefused: (why) => {
        this.#metrics.reviews.inc({ answer: 'refused' });
        log.debug({ why }, 'a request to the webhook was not read');
      },
    });
    log.info({ ...address }, 'serving the webhook');
    this.secretChanged();
    return this.#server.port;
  }

  /** What cannot be served by leaves what is served as it is. */
  secretChanged(): void {
    const [secret] = this.#options.secrets.list();
    const pair = secret?.pair;
    if (this.#server === undefined || pair === undefined || pair.certificate === this.#served?.certificate)
      return;
    this.#server.serveBy(pair);
    this.#served = pair;
    this.#options.log.info({ until: new Date(pair.untilMs).toISOString() }, 'certificate served');
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** Whatever goes wrong, the pod may be made. */
  async #answer(path: string, body: unknown): Promise<unknown> {
    const end = this.#metrics.reviewSeconds.startTimer();
    const review = readReview(body);
    const uid = review?.uid ?? uidIn(body);
    if (uid === '') return undefined;
    const { told, patch } = await this.#outcome(path, review).catch((error: unknown) => {
      this.#seldom.warn({ reason: (error as Error).message }, 'a pod passes as it is');
      return untouched('failed');
    });
    this.#metrics.reviews.inc({ answer: told });
    end();
    return answerTo(uid, patch);
  }

  async #outcome(path: string, review: PodReview | undefined): Promise<Outcome> {
    const { world, isSynced } = this.#options;
    if (review === undefined) return untouched('refused');
    if (!isSynced()) return untouched('unready');
    if (path.startsWith(webhookPaths.witness)) {
      const isOf = {
        KeepalivePolicy: world.keepalivepolicies,
        ClusterKeepalivePolicy: world.clusterkeepalivepolicies,
      };
      return { told: 'question', patch: answerPatch(review, (kind, key) => isOf[kind].get(key)) };
    }
    const namespace =
      world.namespaces.get(review.namespace) ?? (await this.#newNamespaces.find(review.namespace));
    if (namespace === undefined) return untouched('unknown');
    const policies = [
      ...world.keepalivepolicies.listBy('namespace', review.namespace),
      ...world.clusterkeepalivepolicies.list(),
    ];
    const patch = patchOf(review, { namespace, policies });
    return { told: patch.length === 0 ? 'left' : 'changed', patch };
  }
}
