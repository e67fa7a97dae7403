import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Finding } from '../api/status.ts';
import { parseKey } from '../kube/resource.ts';
import type { Counted } from '../policy/assess.ts';
import type { Population } from '../policy/count.ts';
import { namespaceFor, PolicyCount } from '../policy/count.ts';
import { Crowd } from '../policy/crowd.ts';
import { isLeft } from '../policy/judgement.ts';
import type { NamespaceView, PodView } from '../policy/pod.ts';
import type { EffectivePolicy, Policy } from '../policy/policy.ts';
import { selectsNamespace, selectsPod } from '../policy/policy.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { RivalCount } from '../policy/rival-count.ts';
import { isPinned } from '../policy/skip.ts';
import { unasked } from '../policy/webhook.ts';
import type { GivenSince } from '../policy/withholding.ts';
import { givenSince, sinceOf } from '../policy/withholding.ts';
import { podsAt, populationOf } from './population.ts';
import { noteToldBefore } from './read-pods.ts';
import type { World } from './world.ts';

/** So long at a time something is counted before others have their turn. */
const sliceMs = 5;

/** What is kept up of one policy that acts. */
interface Kept {
  readonly count: PolicyCount;
  readonly rivals: RivalCount;
  /** All that a count depends on beside its policy. */
  since: unknown;
}

const isSettled = ({ count, rivals }: Kept) => count.isSettled && rivals.isSettled;

/** The counts of all policies: made at the first look at each, and kept up from then on by what changes. */
export class Counts {
  readonly #world: World;
  readonly #population: Population;
  readonly #kept = new Map<string, Kept>();
  /** By namespace, as far as anybody asked. */
  readonly #crowds = new Map<string, Crowd>();
  /** Nodes whose agents report, as the crowds were counted. */
  readonly #reporting = new Set<string>();
  /** One is counted at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(world: World) {
    this.#world = world;
    this.#population = populationOf(world);
  }

  /** Undefined before it was counted, and where it may not act. */
  countedOf(key: string, toldOn: (node: string) => readonly Finding[]): Counted | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const { count, rivals } = kept;
    return {
      census: count.census,
      rivals: rivals.list(),
      podsAt: (place) => podsAt(place, count, this.#world),
      toldOn,
    };
  }

  /**
   * Resolves once all is counted that a look at the policy depends on. Gives way to other work all the time. False where it
   * ended early, since the policy is another by now: whoever changed it asks for another look.
   */
  settle(key: string): Promise<boolean> {
    const settled = this.#turn.then(() => this.#settle(key));
    this.#turn = settled.catch(() => undefined);
    return settled;
  }

  async #settle(key: string): Promise<boolean> {
    const kept = this.#current(key);
    if (kept === undefined || isSettled(kept)) return true;
    while (!isSettled(kept)) {
      this.#count(kept, performance.now() + sliceMs);
      await setImmediate();
      // Each write of a status brings the same policy as another object: nobody would ask for another look.
      if (this.#current(key) !== kept) return false;
    }
    noteToldBefore(key, kept.count.census, this.#world);
    return true;
  }

  #count(kept: Kept, untilMs: number): void {
    const steps = this.#steps(kept);
    while (performance.now() < untilMs) if (steps.next().done) return;
  }

  *#steps({ count, rivals }: Kept): Generator<void> {
    yield* count.settle();
    yield* rivals.settle(
      (key) => this.#world.acting.of(key),
      (one, other) => this.#sharedBy(one, other),
    );
  }

  /** Begun anew where the policy is not the one that was counted. */
  #current(key: string): Kept | undefined {
    const record = this.#world.policy(key);
    const policy = record && this.#world.acting.of(key);
    if (record === undefined || policy?.effective === undefined) {
      this.#kept.delete(key);
      return undefined;
    }
    const since = [this.#world.mode, sinceOf(record)];
    const held = this.#kept.get(key);
    if (held !== undefined && isDeepStrictEqual(held.count.policy, policy)) {
      if (!isDeepStrictEqual(held.since, since)) held.count.sinceChanged(this.#givenSince(record));
      held.since = since;
      return held;
    }
    const kept = { ...this.#begun(key, record, policy as EffectivePolicy), since };
    this.#kept.set(key, kept);
    return kept;
  }

  #begun(key: string, record: PolicyRecord, policy: EffectivePolicy): Pick<Kept, 'count' | 'rivals'> {
    const count = new PolicyCount(policy, this.#givenSince(record), this.#population);
    const isOfOne = record.kind === 'KeepalivePolicy';
    for (const name of isOfOne ? [record.namespace] : this.#world.namespaces.keys())
      count.namespaceChanged(name);
    const rivals = new RivalCount(policy);
    for (const other of this.beside(key)) rivals.doubt(other);
    return { count, rivals };
  }

  /** Where a webhook is not asked, nobody missed anything. */
  #givenSince(record: PolicyRecord): GivenSince {
    const { mode, homes } = this.#world;
    const since = givenSince(record);
    if (mode === 'policy') return since;
    return (name) => (unasked(homes).includes(name) ? undefined : since(name));
  }

  /** Keys of every policy that acts and may select a pod that this one selects. */
  *beside(key: string): Generator<string> {
    const { acting, clusterkeepalivepolicies } = this.#world;
    const { namespace } = parseKey(key);
    for (const name of namespace === undefined ? acting.namespaces() : [namespace])
      for (const other of acting.in(name)) if (other !== key) yield other;
    for (const other of clusterkeepalivepolicies.keys()) if (other !== key) yield other;
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }

  /** A policy acts otherwise than before: keys of those on whose pods it may bind, or did. */
  policyChanged(key: string): string[] {
    if (this.#kept.size === 0) return [];
    const beside = [...this.beside(key)];
    for (const other of beside) this.#kept.get(other)?.rivals.doubt(key);
    return beside;
  }

  settingsChanged(): void {
    for (const [key, { rivals }] of this.#kept) for (const other of this.beside(key)) rivals.doubt(other);
  }

  /** Keys of the policies that select it, or did. */
  podChanged(key: string, before: PodView | undefined): string[] {
    if (this.#kept.size === 0 && this.#crowds.size === 0) return [];
    const after = this.#world.pods.get(key);
    const { namespace } = after ?? before ?? { namespace: '' };
    const [was, is] = [this.#boundLabels(before), this.#boundLabels(after)];
    if (was !== is) {
      this.#crowdChanged(namespace, was, -1);
      this.#crowdChanged(namespace, is, 1);
    }
    return [...this.#policiesIn(namespace)].filter((policy) =>
      this.#kept.get(policy)?.count.podChanged(key, before, after),
    );
  }

  /** The agent of a node has told of these pods. */
  noteRead(policy: string, node: string, podsDigest: number): void {
    this.#kept.get(policy)?.count.census.noteRead(node, podsDigest);
  }

  /** Keys of the policies for which it is not as it was. */
  namespaceChanged(name: string, before: NamespaceView | undefined): string[] {
    const after = this.#world.namespaces.get(name);
    const isOtherwise = isRestricted(before) !== isRestricted(after);
    if (isOtherwise || after === undefined) this.#crowds.delete(name);
    const all = [...this.#policiesIn(name)];
    const turned = all.filter((key) => {
      const policy = this.#kept.get(key)?.count.policy;
      const is = (view: NamespaceView | undefined) =>
        policy !== undefined && view !== undefined && selectsNamespace(policy, view);
      return is(before) !== is(after) || (isOtherwise && is(after));
    });
    for (const key of turned) this.#doubtWith(key, all);
    const due = all.filter((key) => this.#kept.get(key)?.count.namespaceChanged(name));
    return turned.length > 0 ? all : due;
  }

  /** On how many pods others bind instead of it, and it instead of others. */
  #doubtWith(key: string, others: readonly string[]): void {
    for (const other of others) {
      if (other === key) continue;
      this.#kept.get(key)?.rivals.doubt(other);
      this.#kept.get(other)?.rivals.doubt(key);
    }
  }

  /** Keys of the policies that select something there, where the word of its agent counts no more, or anew. */
  reportingChanged(node: string): string[] {
    const isReporting = this.#world.isReporting(node);
    if (isReporting === this.#reporting.has(node)) return [];
    const pods = this.#crowds.size === 0 ? [] : this.#world.pods.listBy('place', node);
    const were = new Set(pods.filter((pod) => this.#isBound(pod)));
    if (isReporting) this.#reporting.add(node);
    else this.#reporting.delete(node);
    for (const pod of pods) {
      const is = this.#isBound(pod);
      if (is !== were.has(pod)) this.#crowdChanged(pod.namespace, pod.labels, is ? 1 : -1);
    }
    return [...this.#kept].flatMap(([key, { count }]) =>
      count.census.has(node) || 'nodes' in count.policy.spec ? [key] : [],
    );
  }

  *#policiesIn(namespace: string): Generator<string> {
    yield* this.#world.acting.in(namespace);
    yield* this.#world.clusterkeepalivepolicies.keys();
  }

  #isBound(pod: PodView): boolean {
    const { namespace: name, node } = pod;
    const namespace = this.#world.namespaces.get(name) ?? { name, labels: {} };
    return pod.live && !isLeft(pod, namespace, node === undefined || !this.#reporting.has(node));
  }

  #boundLabels(pod: PodView | undefined): PodView['labels'] | undefined {
    return pod !== undefined && this.#isBound(pod) ? pod.labels : undefined;
  }

  /** Of a namespace that nobody asked about nothing is counted yet. */
  #crowdChanged(namespace: string, labels: PodView['labels'] | undefined, by: 1 | -1): void {
    const crowd = this.#crowds.get(namespace);
    if (crowd === undefined || labels === undefined) return;
    crowd.change({ labels }, by);
    const selecting = this.#selecting(namespace, labels);
    for (const key of selecting) {
      const kept = this.#kept.get(key);
      if (kept === undefined || namespaceFor(kept.count.policy, namespace, this.#population) === undefined)
        continue;
      for (const other of selecting) if (other !== key) kept.rivals.change(other, by);
    }
  }

  #selecting(namespace: string, labels: PodView['labels']): string[] {
    const view = this.#world.namespaces.get(namespace) ?? { name: namespace, labels: {} };
    return [...this.#policiesIn(namespace)].filter((key) => {
      const policy = this.#world.acting.of(key);
      return policy !== undefined && selectsNamespace(policy, view) && selectsPod(policy, { labels });
    });
  }

  #crowdOf(namespace: string): Crowd {
    const held = this.#crowds.get(namespace);
    if (held !== undefined) return held;
    const crowd = new Crowd();
    for (const pod of this.#world.pods.listBy('namespace', namespace))
      if (this.#isBound(pod)) crowd.change(pod, 1);
    this.#crowds.set(namespace, crowd);
    return crowd;
  }

  /** Pods that the one is counted on, and that the other selects too. */
  #sharedBy(one: Policy, other: Policy): number {
    const { namespaces } = this.#world;
    const only = one.namespace || other.namespace;
    let shared = 0;
    for (const name of only === '' ? namespaces.keys() : [only]) {
      const view = namespaceFor(one, name, this.#population);
      if (view !== undefined && selectsNamespace(one, view) && selectsNamespace(other, view))
        shared += this.#crowdOf(name).sharedBy(one, other);
    }
    return shared;
  }
}

function isRestricted(namespace: NamespaceView | undefined): boolean {
  return namespace !== undefined && isPinned(namespace);
}
