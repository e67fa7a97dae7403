import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Finding } from '../api/status.ts';
import { parseKey } from '../kube/resource.ts';
import type { Counted } from '../policy/assess.ts';
import type { Population } from '../policy/count.ts';
import { namespaceFor, PolicyCount } from '../policy/count.ts';
import type { NamespaceView, PodView } from '../policy/pod.ts';
import type { EffectivePolicy } from '../policy/policy.ts';
import { selectsNamespace, selectsPod } from '../policy/policy.ts';
import type { PolicyRecord } from '../policy/record.ts';
import type { Shared } from '../policy/rival-count.ts';
import { RivalCount } from '../policy/rival-count.ts';
import { isPinned } from '../policy/skip.ts';
import type { GivenSince } from '../policy/withholding.ts';
import { givenSince, sinceOf } from '../policy/withholding.ts';
import type { CrowdChange } from './crowds.ts';
import { Crowds } from './crowds.ts';
import { podsAt, populationOf } from './population.ts';
import { noteToldBefore } from './read-pods.ts';
import type { World } from './world.ts';

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
  readonly #crowds: Crowds;
  readonly #sliceMs: number;
  /** Of all that are being counted or looked at, each has a slice in turn. */
  #turn: Promise<unknown> = Promise.resolve();

  /** `sliceMs`: so long at a time something is counted before others have their turn; one step at least. */
  constructor(world: World, sliceMs: number) {
    this.#world = world;
    this.#sliceMs = sliceMs;
    this.#population = populationOf(world);
    this.#crowds = new Crowds(world);
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
   * What `look` sees once all is counted that a look at the policy depends on, in a turn of its own. Gives way to other work all the
   * time. `another` where it ended early, since the policy is another by now: whoever changed it asks for another look.
   */
  async settle<T>(key: string, look: () => T): Promise<T | 'another'> {
    const kept = this.#current(key);
    for (;;) {
      const seen = await this.#inTurn(() => this.#seen(key, kept, look));
      if (seen !== undefined) return seen.look;
    }
  }

  /** Undefined: there is more to be counted. What comes while it waits for its turn is counted before it looks. */
  #seen<T>(key: string, kept: Kept | undefined, look: () => T): { readonly look: T | 'another' } | undefined {
    // Each write of a status brings the same policy as another object: nobody would ask for another look.
    if (this.#current(key) !== kept) return { look: 'another' };
    if (kept !== undefined && !isSettled(kept)) {
      this.#count(kept, performance.now() + this.#sliceMs);
      if (!isSettled(kept)) return undefined;
      noteToldBefore(key, kept.count.census, this.#world);
    }
    return { look: look() };
  }

  /** What takes long keeps no other waiting for longer than a slice of each that is being counted, or looked at. */
  #inTurn<T>(slice: () => T): Promise<T> {
    const taken = this.#turn.then(slice);
    this.#turn = taken.then(
      () => setImmediate(),
      () => setImmediate(),
    );
    return taken;
  }

  #count(kept: Kept, untilMs: number): void {
    const steps = this.#steps(kept);
    do if (steps.next().done) return;
    while (performance.now() < untilMs);
  }

  *#steps({ count, rivals }: Kept): Generator<void> {
    yield* count.settle();
    const { acting, namespaces } = this.#world;
    yield* rivals.settle({
      policyOf: (key) => acting.of(key),
      namespacesOf: (one, other) => {
        const only = one.namespace || other.namespace;
        return only === '' ? namespaces.keys() : [only];
      },
      sharedIn: (name) => this.#crowds.sharedIn(name),
    });
  }

  /** Begun anew where the policy is not the one that was counted. */
  #current(key: string): Kept | undefined {
    const record = this.#world.policy(key);
    const policy = record && this.#world.acting.of(key);
    if (record === undefined || policy?.effective === undefined) {
      this.#kept.delete(key);
      return undefined;
    }
    const since = [this.#world.unaskedIn, sinceOf(record)];
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
    const unaskedIn = new Set(this.#world.unaskedIn);
    const since = givenSince(record);
    return (name) => (unaskedIn.has(name) ? undefined : since(name));
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

  /** A policy acts otherwise than before: keys of those instead of which it may bind, or did. */
  policyChanged(key: string): string[] {
    if (this.#kept.size === 0) return [];
    this.#forgetAnother(key);
    const policy = this.#world.acting.of(key);
    return [...this.beside(key)].filter((other) => this.#kept.get(other)?.rivals.changed(key, policy));
  }

  settingsChanged(): void {
    for (const [key, { rivals }] of this.#kept) {
      this.#forgetAnother(key);
      rivals.doubtAll();
      for (const other of this.beside(key)) rivals.doubt(other);
    }
  }

  /** Changes reach it as what it is by now, or not at all where it may not act: if it becomes what was counted again, that holds no more. */
  #forgetAnother(key: string): void {
    const kept = this.#kept.get(key);
    if (!isDeepStrictEqual(kept?.count.policy, this.#world.acting.of(key))) this.#kept.delete(key);
  }

  /** Keys of the policies that select it, or did. */
  podChanged(key: string, before: PodView | undefined): string[] {
    if (this.#kept.size === 0 && this.#crowds.size === 0) return [];
    const after = this.#world.pods.get(key);
    const { namespace } = after ?? before ?? { namespace: '' };
    for (const change of this.#crowds.changesBetween(before, after)) this.#crowdChanged(change);
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
    const all = [...this.#policiesIn(name)];
    const turned = all.filter((key) => {
      const policy = this.#world.acting.of(key);
      const is = (view: NamespaceView | undefined) =>
        policy !== undefined && view !== undefined && selectsNamespace(policy, view);
      return is(before) !== is(after) || (isOtherwise && is(after));
    });
    const isAnother = isOtherwise || after === undefined;
    if (isAnother || turned.length > 0) {
      const was = this.#crowds.sharedBefore(name, before, isAnother);
      this.#rivalsTurned(name, { turned, all, was });
    }
    const due = all.filter((key) => this.#kept.get(key)?.count.namespaceChanged(name));
    return turned.length > 0 ? all : due;
  }

  /** On how many pods there others bind instead of those that turned, and these instead of others. */
  #rivalsTurned(name: string, { turned, all, was }: Turned): void {
    if (this.#kept.size === 0) return;
    if (this.#population.podsIn(name).size === 0) {
      // Nothing is there to be counted, and what comes later is.
      if (this.#population.namespace(name) !== undefined || all.some(isOfNamespace)) this.#crowds.of(name);
      return;
    }
    const those = new Set(turned);
    for (const key of all) this.#kept.get(key)?.rivals.turned(name, those.has(key) ? all : those, was);
  }

  /** Keys of the policies that select something there, where the word of its agent counts no more, or anew. */
  reportingChanged(node: string): string[] {
    const changes = this.#crowds.reportingChanged(node);
    if (changes === undefined) return [];
    for (const change of changes) this.#crowdChanged(change);
    return this.concernedBy(node);
  }

  /** Keys of the policies that ask for nodes, or select something there. */
  concernedBy(node: string): string[] {
    return [...this.#kept].flatMap(([key, { count }]) => (isConcernedBy(count, node) ? [key] : []));
  }

  *#policiesIn(namespace: string): Generator<string> {
    yield* this.#world.acting.in(namespace);
    yield* this.#world.clusterkeepalivepolicies.keys();
  }

  #crowdChanged(change: CrowdChange): void {
    if (!this.#crowds.change(change)) return;
    const { namespace, labels, by } = change;
    const selecting = new Set(this.#selecting(namespace, labels));
    for (const key of selecting) {
      const kept = this.#kept.get(key);
      if (kept === undefined || namespaceFor(kept.count.policy, namespace, this.#population) === undefined)
        continue;
      kept.rivals.changeAmong(selecting, namespace, by);
    }
  }

  #selecting(namespace: string, labels: PodView['labels']): string[] {
    const view = this.#world.namespaces.get(namespace) ?? { name: namespace, labels: {} };
    return [...this.#policiesIn(namespace)].filter((key) => {
      const policy = this.#world.acting.of(key);
      return policy !== undefined && selectsNamespace(policy, view) && selectsPod(policy, { labels });
    });
  }
}

/** What happened to a namespace. */
interface Turned {
  /** Keys of the policies that select it, and did not, or the other way round. */
  readonly turned: readonly string[];
  /** Keys of all that may select it. */
  readonly all: readonly string[];
  readonly was: Shared;
}

const isOfNamespace = (key: string) => parseKey(key).namespace !== undefined;

function isConcernedBy({ census, policy: { spec } }: PolicyCount, node: string): boolean {
  return census.has(node) || ('nodes' in spec && spec.nodes !== undefined);
}

function isRestricted(namespace: NamespaceView | undefined): boolean {
  return namespace !== undefined && isPinned(namespace);
}
