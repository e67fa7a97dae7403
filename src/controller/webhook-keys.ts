import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { sleep } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';
import type { KubeManifest } from '../kube/resource.ts';
import type { Store } from '../kube/store.ts';
import type { KeyPair, Pair } from '../ops/certificate.ts';
import { certificatesIn, readPair } from '../ops/certificate.ts';
import type { Situation, TrustStep } from '../ops/trust.ts';
import { lifeMs, trustStep } from '../ops/trust.ts';
import { ADMISSION_API_VERSION } from '../policy/admission.ts';
import { bundleWriters } from '../policy/bundle-writers.ts';
import { Insistence } from './insistence.ts';
import type { StoredWebhook } from './record.ts';
import { resources } from './resource.ts';
import type { StoredSecret } from './webhook-secret.ts';
import { keysManager, secretManifest } from './webhook-secret.ts';
import type { World } from './world.ts';

export interface WebhookKeysOptions {
  readonly client: ApiClient;
  readonly world: World;
  readonly secrets: Store<StoredSecret>;
  readonly clock: Clock;
  readonly log: Log;
}

/** After a step that failed, and where nothing is to be expected but from a watch, or from a clock that is put right. */
const retryMs = 5_000;
const longestMs = 300_000;
/** Watches tell at once what was written, mostly. */
const heardMs = 500;
/** Written so often in a row, it is undone by a program, and not by somebody's hand. */
const contestedTimes = 3;

/**
 * Sees to it that the webhook can be trusted: makes its certificates, tells API servers whom to trust, and follows each before
 * it ends. Of all replicas the one that leads does.
 */
export class WebhookKeys {
  readonly #options: WebhookKeysOptions;
  #next: { readonly pair: Pair; trustedSince: number | undefined } | undefined;
  readonly #insistence: Insistence;
  #wake = new AbortController();

  constructor(options: WebhookKeysOptions) {
    this.#options = options;
    this.#insistence = new Insistence(options.clock);
  }

  /** To be called when the Secret or the configuration changed. */
  changed(): void {
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const pauseMs = await this.#step(signal).catch((error: unknown) => {
        if (!signal.aborted)
          log.warn({ reason: (error as Error).message }, 'the keys of the webhook could not be seen to');
        return undefined;
      });
      // What failed is not tried again at once because of what changed meanwhile.
      const stop = pauseMs === undefined ? signal : AbortSignal.any([signal, this.#wake.signal]);
      if (pauseMs !== 0) await sleep(clock, pauseMs ?? retryMs, stop);
    }
  }

  /** One step; how long to wait before the next, if nothing changes. */
  async #step(signal: AbortSignal): Promise<number> {
    const { world, client } = this.#options;
    const { webhook } = world;
    if (webhook === undefined) return longestMs;
    const now = client.time.now();
    const step = trustStep(this.#situation(webhook, now));
    switch (step.do) {
      case 'make':
        await this.#make(webhook, now);
        return 0;
      case 'trust':
        return this.#trust(webhook, step, signal);
      case 'store':
        await this.#store(webhook, step.pair, signal);
        return heardMs;
      case 'wait':
        return Math.min(step.forMs, longestMs);
    }
  }

  #situation({ host, trusted }: StoredWebhook, now: Date): Situation {
    const [secret] = this.#options.secrets.list();
    const lists = Object.values(trusted).map((bundle) =>
      certificatesIn(Buffer.from(bundle, 'base64').toString('utf8')),
    );
    const next = this.#nextAfter(secret?.pair, lists);
    return { host, now, stored: secret?.pair, next, trusted: lists };
  }

  /** What was made to follow, until it is stored; its time runs from when every list of the configuration has it. */
  #nextAfter(stored: Pair | undefined, lists: Situation['trusted']): Situation['next'] {
    const { clock } = this.#options;
    if (this.#next?.pair.certificate === stored?.certificate) this.#next = undefined;
    if (this.#next === undefined) return undefined;
    const { pair } = this.#next;
    const isTrusted = pair.authorities.some((one) => lists.every((list) => list.includes(one)));
    this.#next.trustedSince = isTrusted ? (this.#next.trustedSince ?? clock.now()) : undefined;
    const { trustedSince } = this.#next;
    return { pair, trustedForMs: trustedSince === undefined ? undefined : clock.now() - trustedSince };
  }

  async #make({ host }: StoredWebhook, now: Date): Promise<void> {
    // Only who makes one loads what it takes.
    const { issue } = await import('../ops/certificate-issue.ts');
    const pair = readPair(await issue({ host, now, lifeMs }));
    if (pair === undefined) throw new Error(`a certificate for ${host} was made that cannot be served by`);
    this.#next = { pair, trustedSince: undefined };
    this.#options.log.info({ host, until: new Date(pair.untilMs).toISOString() }, 'certificate made');
  }

  /** How long to wait before the next step: where somebody else writes over it, before it is written at all. */
  async #trust(
    webhook: StoredWebhook,
    { authorities }: TrustStep & { do: 'trust' },
    signal: AbortSignal,
  ): Promise<number> {
    const { client, log } = this.#options;
    const caBundle = Buffer.from(authorities.join('')).toString('base64');
    const waitMs = this.#insistence.waitMs(caBundle);
    if (waitMs > 0) return waitMs;
    const manifest: KubeManifest = {
      apiVersion: ADMISSION_API_VERSION,
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: webhook.name, uid: webhook.uid },
      webhooks: Object.keys(webhook.trusted).map((name) => ({ name, clientConfig: { caBundle } })),
    };
    const options = { fieldManager: keysManager, signal };
    await client.apply(resources.mutatingwebhookconfigurations, manifest, options);
    log.info({ authorities: authorities.length }, 'API servers are told whom to trust');
    if (this.#insistence.wrote(caBundle, webhook) === contestedTimes) log.warn(contested(webhook.name));
    return heardMs;
  }

  async #store(owner: StoredWebhook, pair: KeyPair, signal: AbortSignal): Promise<void> {
    const { client, world, log } = this.#options;
    const manifest = secretManifest(pair, { namespace: world.homes.controller, owner });
    await client.apply(resources.secrets, manifest, { fieldManager: keysManager, signal });
    log.info('certificate stored: it is served from now on');
  }
}

function contested(name: string): string {
  const known = bundleWriters.map(({ by, annotations: [first] }) => `${first} (${by})`);
  return (
    `somebody else writes clientConfig.caBundle of MutatingWebhookConfiguration ${name}, so that API servers do not trust the webhook ` +
    `and new pods start without the values: its annotation ${known.join(' or ')} has to go, or whatever else asks for that; nobody but the controller may write it`
  );
}
