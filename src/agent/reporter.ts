import { isDeepStrictEqual } from 'node:util';

import { AGENT_NAME, API_VERSION, OPERATOR_LABELS } from '../api/group.ts';
import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import { askedApartMs, backOffMs } from '../kube/backoff.ts';
import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { systemClock } from '../kube/clock.ts';
import { isNotFound, isOverloaded, isRefusal, retryAfterMs } from '../kube/errors.ts';
import type { Log } from '../kube/log.ts';
import type { KubeObject } from '../kube/resource.ts';
import { resources } from './resource.ts';
import type { World } from './world.ts';

export interface ReporterOptions {
  readonly client: ApiClient;
  readonly log: Log;
  readonly world: World;
  readonly node: string;
  /** Between two writes; 10 s by design. */
  readonly intervalMs: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

interface Offered {
  readonly make: () => NodeKeepaliveStatus;
  /** Once it was made. */
  status: NodeKeepaliveStatus | undefined;
}

interface Refusals {
  readonly sinceMs: number;
  readonly lastMs: number;
  readonly why: string;
}

/** What one change brings about is seen within this time, and written at once. */
const gatherMs = 100;
/** What is put right by itself, as rights that come in another order, is by then; what is overloaded needs longer. */
const patienceSeconds = { refused: 60, overloaded: 300 };
const retry = { minMs: 1000, maxMs: 30_000 };

/** Keeps the status of this node's NodeKeepalive equal to what was last offered, with as few writes as can be. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  #offered: Offered | undefined;
  /** Until then nothing is made up to be written. */
  #restUntil = -Infinity;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  #lastWriteAt = -Infinity;
  /** What was written last, and what became of it: a CRD of an earlier version lets go what it does not know. */
  #written: { readonly sent: NodeKeepaliveStatus; readonly became: object } | undefined;
  #failures = 0;
  readonly #refusals = new Map<keyof typeof patienceSeconds, Refusals>();
  #hasSpoken = false;
  #busy = false;
  #stopped = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /** What can be written as soon as it may be: made up then, and not where something newer is offered before. */
  offer(make: () => NodeKeepaliveStatus): void {
    this.#offered = { make, status: undefined };
    this.#schedule(gatherMs);
  }

  /** Somebody else changed the object, or it went away. */
  lookAgain(): void {
    if (this.#failures > 0 && !this.#busy) {
      // It may have been what stood in the way.
      this.#cancel?.();
      this.#cancel = undefined;
    }
    this.#schedule(gatherMs);
  }

  /** Whether anything of what is there is the word of this process: what it found there may be of before a reboot. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** Why nobody hears of this node: what is there is older than what was offered, and the API server has refused all that is newer. */
  get refusal(): string | undefined {
    for (const [kind, { sinceMs, lastMs, why }] of this.#refusals) {
      const patience = patienceSeconds[kind];
      const nowMs = this.#clock.now();
      const [seconds, silent] = [(nowMs - sinceMs) / 1000, (nowMs - lastMs) / 1000];
      // One that was last refused long ago gets no answers since: of that, watches tell.
      if (seconds >= patience && silent < patience)
        return `its report has not been taken for ${Math.round(seconds)} s, so nobody hears of this node: ${why}`;
    }
    return undefined;
  }

  /** Writes nothing more; resolves when the last write has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#writing;
  }

  /** Takes the object away, once the last write has ended: nobody looks after it until something is offered anew. */
  async withdraw(): Promise<void> {
    const { client, node, world } = this.#options;
    this.#offered = undefined;
    await this.#writing;
    const uid = world.reported?.uid;
    if (uid === undefined) return;
    const target = { ...resources.nodekeepalives, name: node };
    await client.delete(target, { uid, timeoutMs: 5000 }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }

  #schedule(delayMs: number): void {
    if (this.#stopped || this.#cancel !== undefined) return;
    if (this.#isWritten()) {
      // Also where the answer to the write was lost.
      if (this.#offered !== undefined) this.#stands();
      return;
    }
    const earliest = Math.max(this.#lastWriteAt + this.#options.intervalMs, this.#restUntil);
    this.#cancel = this.#clock.schedule(Math.max(delayMs, earliest - this.#clock.now()), () => {
      this.#writing = this.#write();
    });
  }

  /** Of what was not made up yet nobody knows. */
  #isWritten(): boolean {
    if (this.#offered === undefined) return true;
    const { status } = this.#offered;
    if (status === undefined) return false;
    const isSame = this.#written !== undefined && isDeepStrictEqual(this.#written.sent, status);
    const due = isSame ? this.#written?.became : status;
    return isDeepStrictEqual(this.#options.world.reported?.status, due);
  }

  /** Over a heap of policies that takes a while: never more than one part in ten of the time. */
  #make(offered: Offered): NodeKeepaliveStatus {
    const startedAt = this.#clock.now();
    offered.status ??= offered.make();
    const now = this.#clock.now();
    this.#restUntil = now + 9 * (now - startedAt);
    return offered.status;
  }

  async #write(): Promise<void> {
    let againAfterMs = gatherMs;
    this.#busy = true;
    try {
      const status = this.#offered && this.#make(this.#offered);
      if (status !== undefined && (this.#isWritten() || (await this.#apply(status)))) this.#stands();
      this.#failures = 0;
      this.#refusals.clear();
    } catch (error) {
      this.#noteRefusal(error);
      const pauseMs = backOffMs(this.#failures, retry, this.#random);
      againAfterMs = Math.max(pauseMs, askedApartMs(retryAfterMs(error), this.#random));
      this.#failures += 1;
      const reason = (error as Error).message;
      this.#options.log.warn({ reason, delayMs: againAfterMs }, 'NodeKeepalive not written, will try again');
    }
    this.#busy = false;
    this.#cancel = undefined;
    // What was offered meanwhile waits for its turn.
    this.#schedule(againAfterMs);
  }

  /** What was offered is there. */
  #stands(): void {
    this.#hasSpoken = true;
    this.#refusals.clear();
  }

  /** A server that does not answer, or is too busy, says nothing against it: of that, watches tell. */
  #noteRefusal(error: unknown): void {
    if (!isRefusal(error)) return;
    const kind = isOverloaded(error) ? 'overloaded' : 'refused';
    const lastMs = this.#clock.now();
    const { sinceMs = lastMs } = this.#refusals.get(kind) ?? {};
    this.#refusals.set(kind, { sinceMs, lastMs, why: (error as Error).message });
  }

  /** False while the node is not known: an object that nobody owns would stay for ever. */
  async #apply(status: NodeKeepaliveStatus): Promise<boolean> {
    const { world, node, log } = this.#options;
    this.#lastWriteAt = this.#clock.now();
    const uid = world.node?.uid;
    if (uid === undefined) return false;
    const known = world.reported ?? (await this.#create(uid)).metadata;
    const written = await this.#replaceStatus(status, known.uid).catch(async (error: unknown) => {
      if (!isNotFound(error)) throw error;
      return this.#replaceStatus(status, (await this.#create(uid)).metadata.uid);
    });
    const became = written.status ?? {};
    this.#written = { sent: status, became };
    // Ahead of the watch, so that a look in between does not write the same again.
    world.nodekeepalives.set(node, { uid: written.metadata.uid, status: became });
    const { pods, policies = [], shortened } = status;
    log.info({ pods: pods?.summary, policies: policies.length, shortened }, 'NodeKeepalive written');
    return true;
  }

  #create(uid: string): Promise<KubeObject> {
    const { client, node } = this.#options;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: node, uid }];
    const metadata = { name: node, labels: OPERATOR_LABELS, ownerReferences };
    return client.apply(resources.nodekeepalives, { ...identity, metadata }, options);
  }

  #replaceStatus(status: NodeKeepaliveStatus, uid: string): Promise<KubeObject> {
    const { client, node } = this.#options;
    return client.replaceStatus({ ...resources.nodekeepalives, name: node, uid }, status, options);
  }
}

const identity = { apiVersion: API_VERSION, kind: 'NodeKeepalive' };
const options = { fieldManager: AGENT_NAME };
