import { randomUUID } from 'node:crypto';

import type { PolicyKind } from '../api/group.ts';
import { CONTROLLER_NAME } from '../api/group.ts';
import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { sleep } from '../kube/clock.ts';
import { ApiError, isNetwork } from '../kube/errors.ts';
import type { Log } from '../kube/log.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { Evidence } from '../policy/evidence.ts';
import { awaited } from '../policy/evidence.ts';
import { actsOnPods } from '../policy/obstacle.ts';
import type { PolicyRecord } from '../policy/record.ts';
import type { Subject } from '../policy/witness.ts';
import { latest, witnessBinding, witnessNames, witnessPod } from '../policy/witness.ts';
import type { Activations } from './activation.ts';
import { kindOf } from './activation.ts';
import { Ground } from './ground.ts';
import { ownerOf } from './line.ts';
import { resources } from './resource.ts';
import type { Finding } from './sight.ts';
import { Sight } from './sight.ts';
import type { World } from './world.ts';

export interface WitnessOptions {
  readonly client: ApiClient;
  readonly world: World;
  readonly activations: Activations;
  readonly clock: Clock;
  readonly log: Log;
  /** Where this process runs, and where questions are asked. */
  readonly namespace: string;
  /** Whether the API server went away, as far as watches tell. */
  readonly isInterrupted: () => boolean;
  readonly onNews: (policies: Iterable<string>) => void;
  readonly onAnswer: (answer: Finding | 'none') => void;
}

const kinds = ['KeepalivePolicy', 'ClusterKeepalivePolicy'] as const;
/** Somebody waits for the answer. */
const eagerMs = 100;
/** A policy that changes is often not the only one. */
const gatherMs = 20;
/** An API server that went away, or that lets pods pass. */
const watchfulMs = 500;
/** All is well: how long it may take until something is noticed that no watch tells of. */
const quietMs = 10_000;
/** Right after an installation, and while the API server starts, it refuses what it will take soon. */
const patienceMs = 5_000;

/**
 * Asks the API server, by pods that are only made in dry runs, what it acts by: soon after a policy was written, and from time to
 * time. One question answers for all policies of a kind: a version that it knows is one up to which it knows all.
 */
export class Witness {
  readonly #options: WitnessOptions;
  readonly #sights: Readonly<Record<PolicyKind, Sight>> = {
    KeepalivePolicy: new Sight(),
    ClusterKeepalivePolicy: new Sight(),
  };
  readonly #ground: Ground;
  readonly #name = randomUUID().slice(0, 8);
  #asked = 0;
  #failingSince: number | undefined;
  /** No answer came to the last question. */
  #isAway = false;
  #whyUnknown: string | undefined;
  #wake = new AbortController();

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#ground = new Ground(options);
  }

  /** Of a policy that nobody awaits: what is known of its kind, and good until shown otherwise. */
  evidenceOf(policy: string): Evidence {
    if (this.#whyUnknown !== undefined) return { kind: 'unknown', why: this.#whyUnknown };
    if (this.#sights[kindOf(policy)].isSilent) return { kind: 'silent' };
    if (this.#options.activations.isAwaited(policy)) return awaited;
    return { kind: 'seen', others: this.#ground.hasOthers };
  }

  /** Somebody began to wait. */
  poke(): void {
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const pauseMs = await this.#round(signal);
      await this.#pause(pauseMs, signal);
      if (this.#wake.signal.aborted) await sleep(clock, gatherMs, signal);
    }
  }

  /** Ends early where somebody waits, or the API server goes away. */
  async #pause(pauseMs: number, signal: AbortSignal): Promise<void> {
    const { clock, isInterrupted } = this.#options;
    const stop = AbortSignal.any([signal, this.#wake.signal]);
    const until = clock.now() + pauseMs;
    while (!stop.aborted && clock.now() < until) {
      await sleep(clock, Math.min(watchfulMs, until - clock.now()), stop);
      if (!isInterrupted()) continue;
      this.#doubt();
      return;
    }
  }

  #doubt(): void {
    this.#isAway = true;
    for (const kind of kinds) this.#sights[kind].doubt();
  }

  /** Asks once, where there is something to ask; how long to wait before the next time. */
  async #round(signal: AbortSignal): Promise<number> {
    const asked = kinds.filter((kind) => this.#candidates(kind).length > 0);
    if (asked.length === 0) return quietMs;
    try {
      const fault = await this.#ground.fault(asked, signal);
      if (fault !== undefined) {
        this.#cannotAsk(fault);
        return patienceMs;
      }
      for (const kind of asked) await this.#stand(kind, signal);
      this.#take(asked, await this.#ask(asked, signal));
    } catch (error) {
      if (signal.aborted) return 0;
      this.#failed(error as Error);
    }
    return this.#pauseMs(asked);
  }

  #pauseMs(asked: readonly PolicyKind[]): number {
    if (this.#whyUnknown !== undefined) return quietMs;
    if (this.#failingSince !== undefined || this.#isAway) return watchfulMs;
    const sights = asked.map((kind) => this.#sights[kind]);
    if (sights.some(({ isSilent }) => isSilent)) return watchfulMs;
    const isWaitedFor = asked.some((kind) => this.#options.activations.awaited(kind).length > 0);
    return isWaitedFor || sights.some(({ isOpen }) => isOpen) ? eagerMs : quietMs;
  }

  /** Those of a kind that any answer would be about. */
  #candidates(kind: PolicyKind): PolicyRecord[] {
    const { world, activations } = this.#options;
    const awaited = activations.awaited(kind).flatMap((key) => world.policy(key) ?? []);
    if (awaited.length > 0) return awaited;
    const all = kind === 'KeepalivePolicy' ? world.keepalivepolicies : world.clusterkeepalivepolicies;
    return [...all.list()].filter(({ policy }) => policy !== undefined && actsOnPods(policy));
  }

  /** Sees to a question that the policy written last is the answer to. */
  async #stand(kind: PolicyKind, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const sight = this.#sights[kind];
    if (sight.standing !== undefined && !this.#isThere(sight.standing.subject)) sight.lose();
    const subject = latest(this.#subjects(kind));
    if (subject === undefined) return;
    const { passedOver: without } = sight;
    const since = clock.now();
    const step = sight.stepFor(subject, { now: since, isOvertaken: this.#isOvertaken(kind) });
    if (step === 'follow') sight.follow({ subject, since, without });
    if (step !== 'bind') return;
    const nonce = `${this.#name}-${(this.#asked += 1)}`;
    if (await this.#bind(subject, nonce, signal)) sight.stand({ subject, nonce, since, without });
  }

  /** Those that one may be asked about. */
  #subjects(kind: PolicyKind): PolicyRecord[] {
    const sight = this.#sights[kind];
    const candidates = this.#candidates(kind);
    const others = candidates.filter(({ namespace }) => !sight.passedOver.has(namespace));
    if (others.length > 0) return others;
    sight.passOverNobody();
    return candidates;
  }

  /** A webhook is told by the question itself what it is about. */
  async #bind(subject: Subject, nonce: string, signal: AbortSignal): Promise<boolean> {
    const { client, world, namespace } = this.#options;
    if (world.mode === 'webhook') return true;
    const ownerUid = world.mutatingadmissionpolicies.get(witnessNames[subject.kind])?.uid;
    if (ownerUid === undefined) return false;
    const binding = witnessBinding(subject, { nonce, namespace, ownerUid });
    const options = { fieldManager: CONTROLLER_NAME, signal };
    await client.apply(resources.mutatingadmissionpolicybindings, binding, options);
    return true;
  }

  /** Somebody waits to whom the standing question is no answer. */
  #isOvertaken(kind: PolicyKind): boolean {
    const { activations } = this.#options;
    const { standing } = this.#sights[kind];
    if (standing === undefined) return true;
    return activations
      .awaited(kind)
      .some((key) => standing.without.has(ownerOf(key)) || (activations.begunAt(key) ?? 0) > standing.since);
  }

  #isThere({ kind, namespace, name, uid }: Subject): boolean {
    return (
      this.#options.world.policy(kind === 'KeepalivePolicy' ? `${namespace}/${name}` : name)?.uid === uid
    );
  }

  #ask(asked: readonly PolicyKind[], signal: AbortSignal): Promise<KubeObject> {
    const { client, namespace } = this.#options;
    const questions = asked.flatMap((kind) => {
      const { standing } = this.#sights[kind];
      return standing === undefined ? [] : [{ kind, ...standing }];
    });
    return client.dryRun({ ...resources.pods, namespace }, witnessPod(questions), {
      ...{ signal, timeoutMs: patienceMs },
    });
  }

  #take(asked: readonly PolicyKind[], pod: KubeObject): void {
    this.#canAsk();
    for (const kind of asked) this.#takeOf(kind, pod);
  }

  #takeOf(kind: PolicyKind, pod: KubeObject): void {
    const { activations, log, onNews, onAnswer } = this.#options;
    const sight = this.#sights[kind];
    const wasSilent = sight.isSilent;
    const finding = sight.look(pod, this.#options.clock.now());
    onAnswer(finding);
    if (sight.isSilent && !wasSilent) {
      log.warn({ kind }, 'the API server does not act by policies: new pods start without the values');
      onNews(this.#keysOf(kind));
    }
    if (finding !== 'seen') return;
    const { without, since = 0 } = sight.standing ?? {};
    const news = activations.awaited(kind).filter((key) => without?.has(ownerOf(key)) !== true);
    activations.seen(news, since);
    if (wasSilent) log.info({ kind }, 'the API server acts by policies again');
    onNews(wasSilent ? this.#keysOf(kind) : news);
  }

  #keysOf(kind: PolicyKind): Iterable<string> {
    const { keepalivepolicies, clusterkeepalivepolicies } = this.#options.world;
    return [...(kind === 'KeepalivePolicy' ? keepalivepolicies : clusterkeepalivepolicies).keys()];
  }

  #failed(error: Error): void {
    const { clock, log, onAnswer } = this.#options;
    onAnswer('none');
    // Where no answer comes at all, no pod is made either.
    if (isNetwork(error)) {
      this.#doubt();
      return;
    }
    const now = clock.now();
    if (this.#failingSince === undefined)
      log.warn({ reason: error.message }, 'the API server could not be asked what it acts by');
    this.#failingSince ??= now;
    if (now - this.#failingSince < patienceMs) return;
    this.#cannotAsk(
      `it refuses the question: ${error instanceof ApiError ? `${error.status} ${error.reason}` : 'an error'}`,
    );
  }

  #cannotAsk(why: string): void {
    if (this.#whyUnknown === why) return;
    this.#options.log.warn(
      { why },
      'whether the API server acts by policies cannot be seen: it is waited for instead',
    );
    this.#whyUnknown = why;
    this.#tellAll();
  }

  #canAsk(): void {
    this.#failingSince = undefined;
    this.#isAway = false;
    if (this.#whyUnknown === undefined) return;
    this.#options.log.info('whether the API server acts by policies can be seen again');
    this.#whyUnknown = undefined;
    this.#tellAll();
  }

  #tellAll(): void {
    for (const kind of kinds) this.#options.onNews(this.#keysOf(kind));
  }
}
