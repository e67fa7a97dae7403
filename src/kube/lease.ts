import { isDeepStrictEqual } from 'node:util';

import type { Account, Owner } from './account.ts';
import { ownedBy } from './account.ts';
import { builtIn } from './built-in.ts';
import type { ApiClient, CallOptions } from './client.ts';
import { sleep, systemClock, type Clock } from './clock.ts';
import { isAlreadyExists, isConflict, isForbidden, isNotFound } from './errors.ts';
import type { Log } from './log.ts';
import type { KubeManifest, KubeObject, ObjectMeta } from './resource.ts';

export interface LeaseOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly name: string;
  /** Unlike that of any other candidate; of a pod, its name. */
  readonly identity: string;
  /** As whom it is written: it goes when that account goes. */
  readonly account?: (() => Account | undefined) | undefined;
  readonly log: Log;
  /** Told the holder's identity each time it changes; undefined: nobody. */
  readonly onLeaderChanged?: (holder: string | undefined) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}
type LeaseObject = KubeObject & {
  readonly metadata: ObjectMeta & { readonly ownerReferences?: readonly Owner[] };
  readonly spec?: LeaseSpec;
};

/** The numbers of client-go: others may take over after 15 s, and we give up well before, after 10 s. */
const leaseSeconds = 15;
const renewDeadlineMs = 10_000;
const retryMs = 2_000;
/** A hanging request must leave time for further tries before the deadline. */
const requestTimeoutMs = 4_000;

/** Deleted, then made by another while we make it: so many tries until we know. */
const mostLooks = 3;

type Outcome = 'ours' | 'not ours' | 'to be looked at';

const resource = builtIn.leases;

/**
 * One candidate for the lead. Clocks of machines differ, so the times in the record are never read: a lease
 * is over when its record did not change for its whole duration on our own monotonic clock.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** The record as last seen, and since when we see it like this. */
  #record: LeaseObject | undefined;
  #unchangedSince = 0;
  #holder: string | undefined;
  /** An API server with OwnerReferencesPermissionEnforcement lets nobody change the owners of what he may not delete, which no Lease may be by us. */
  #mayOwn = true;
  /** When the request was sent by which we last proved to hold the lease; undefined: we do not lead. */
  #renewedAt: number | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /** False as soon as the deadline passed, even when nothing had time to notice. */
  get leading(): boolean {
    return this.#leftMs() > 0;
  }

  /** Resolves true once we lead, false when `signal` aborts before. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if ((await this.#attempt(signal, requestTimeoutMs)) === 'ours') return true;
      await this.#rest(signal, retryMs * 2);
    }
    return false;
  }

  /**
   * Keeps the lead. Resolves 'lost' when another has it or may have it: the caller exits the process, as what
   * it has under way can no longer be taken back. Resolves 'released' after `signal` aborts: stop all work
   * first, since another takes over at once.
   */
  async hold(signal: AbortSignal): Promise<'lost' | 'released'> {
    while (!signal.aborted) {
      await this.#rest(signal, this.#leftMs());
      if (signal.aborted) break;
      await this.#renew();
      if (!this.leading || this.#takenByOther()) return this.#lose();
    }
    await this.#release();
    return 'released';
  }

  /** Where the record is another or gone, another may lead already: that is looked at without a rest. */
  async #renew(): Promise<void> {
    let outcome: Outcome = 'to be looked at';
    for (let tries = 0; outcome === 'to be looked at' && tries < mostLooks; tries += 1) {
      // Not aborted by the signal: a renewal that got half way would make the release a conflict.
      // Down to whole milliseconds: an answer after the deadline would be one too late.
      const leftMs = Math.floor(Math.min(requestTimeoutMs, this.#leftMs()));
      if (leftMs <= 0) return;
      outcome = await this.#attempt(undefined, leftMs);
    }
  }

  #lose(): 'lost' {
    this.#renewedAt = undefined;
    return 'lost';
  }

  #takenByOther(): boolean {
    return this.#holder !== undefined && this.#holder !== this.#options.identity;
  }

  #leftMs(): number {
    return this.#renewedAt === undefined ? 0 : this.#renewedAt + renewDeadlineMs - this.#clock.now();
  }

  #rest(signal: AbortSignal, atMostMs: number): Promise<void> {
    return sleep(this.#clock, Math.min(atMostMs, retryMs * (1 + 0.2 * this.#random())), signal);
  }

  /** One try to get or renew the lease; ours when the server confirmed it. Never throws. */
  async #attempt(signal: AbortSignal | undefined, timeoutMs: number): Promise<Outcome> {
    const options = signal ? { signal, timeoutMs } : { timeoutMs };
    const sentAt = this.#clock.now();
    try {
      // A leader knows the record it wrote: one request suffices, and a conflict shows that it is no longer so.
      if (!this.leading || !this.#record) this.#observe(await this.#read(options));
      if (this.#record && !this.#mayTake(this.#record)) return 'not ours';
      this.#observe(await this.#write(options));
      this.#renewedAt = sentAt;
      return 'ours';
    } catch (error) {
      return signal?.aborted ? 'not ours' : this.#failed(error);
    }
  }

  #failed(error: unknown): Outcome {
    const wasChanged = isConflict(error) || isAlreadyExists(error);
    if (!wasChanged) this.#options.log.warn({ reason: (error as Error).message }, 'lease: no success');
    if (!wasChanged && !isNotFound(error)) return 'not ours';
    // Somebody was quicker, or deleted it: to look again tells who has it, if anybody.
    this.#record = undefined;
    return 'to be looked at';
  }

  #mayTake({ spec }: LeaseObject): boolean {
    if (!spec?.holderIdentity || spec.holderIdentity === this.#options.identity) return true;
    const durationMs = (spec.leaseDurationSeconds ?? leaseSeconds) * 1000;
    return this.#clock.now() - this.#unchangedSince >= durationMs;
  }

  #observe(record: LeaseObject | undefined): void {
    if (record?.metadata.resourceVersion !== this.#record?.metadata.resourceVersion) {
      this.#unchangedSince = this.#clock.now();
    }
    this.#record = record;
    const holder = record?.spec?.holderIdentity || undefined;
    if (holder === this.#holder) return;
    this.#holder = holder;
    this.#options.onLeaderChanged?.(holder);
  }

  async #read(options: CallOptions): Promise<LeaseObject | undefined> {
    try {
      return await this.#options.client.get<LeaseObject>(this.#target(), options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #write(options: CallOptions): Promise<LeaseObject> {
    const before = this.#record?.spec;
    const ours = before?.holderIdentity === this.#options.identity;
    const now = microTime();
    const spec: LeaseSpec = {
      ...before,
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: ours && before.acquireTime ? before.acquireTime : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (before && !ours ? 1 : 0),
    };
    return this.#put(spec, options);
  }

  /** The resourceVersion of the record makes it fail when anybody wrote since we read. */
  async #put(spec: LeaseSpec, options: CallOptions): Promise<LeaseObject> {
    const { client, namespace, name, account } = this.#options;
    const bodyOf = (metadata: KubeManifest['metadata']) => ({
      ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      ...{ metadata, spec },
    });
    const before = this.#record?.metadata;
    const owners = before?.ownerReferences ?? [];
    const ownerReferences = ownedBy(account?.(), namespace, owners);
    if (!before)
      return client.create({ ...resource, namespace }, bodyOf({ namespace, name, ownerReferences }), options);
    const update = (metadata: KubeManifest['metadata']) =>
      client.update<LeaseObject>(this.#target(), bodyOf(metadata), options);
    if (!this.#mayOwn || isDeepStrictEqual(ownerReferences, owners)) return update(before);
    try {
      return await update({ ...before, ownerReferences });
    } catch (error) {
      if (!isForbidden(error)) throw error;
      const written = await update(before);
      this.#mayOwn = false;
      return written;
    }
  }

  /** Best effort: should it fail, the others wait for the end of the lease. */
  async #release(): Promise<void> {
    if (!this.leading || !this.#record) return;
    const spec = {
      ...this.#record.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: microTime(),
    };
    this.#renewedAt = undefined;
    try {
      this.#observe(await this.#put(spec, { timeoutMs: requestTimeoutMs }));
    } catch (error) {
      this.#options.log.warn({ reason: (error as Error).message }, 'lease: not released, it will expire');
    }
  }

  #target() {
    const { namespace, name } = this.#options;
    return { ...resource, namespace, name };
  }
}

/** RFC 3339 with microseconds, the only form that a Lease takes. For people: nobody judges by it. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
