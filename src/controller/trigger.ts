import { isDeepStrictEqual } from 'node:util';

import { parseKey } from '../kube/resource.ts';
import type { WorkQueue } from '../kube/queue.ts';
import { policyOfBinding } from '../policy/admission.ts';
import { Contributions } from '../policy/contribution.ts';
import type { NamespaceView } from '../policy/pod.ts';
import type { PolicyRecord } from '../policy/record.ts';
import type { StoredPod, StoredReport } from './record.ts';
import type { ResourceName } from './resource.ts';
import { noteTold } from './read-pods.ts';
import type { World } from './world.ts';

/**
 * A policy is looked at so long after the first thing that concerns it: what comes in between is gathered. A look costs what the
 * policy has nodes, not pods, so that nothing else has to be weighed.
 */
const gatherMs = 1000;

const concernEveryPolicy: ReadonlySet<ResourceName> = new Set([
  ...(['daemonsets', 'events', 'mutatingadmissionpolicies', 'mutatingwebhookconfigurations'] as const),
]);

/** Knows which policies have to be looked at when something changes. */
export class Triggers {
  readonly #world: World;
  readonly #queue: Pick<WorkQueue, 'add' | 'addAfter'>;
  #isStarted = false;
  #anyAgent = false;

  constructor(world: World, queue: Pick<WorkQueue, 'add' | 'addAfter'>) {
    this.#world = world;
    this.#queue = queue;
  }

  /**
   * Every policy is looked at now: what the first lists brought concerned all of them. A replica that does not lead queues nothing until
   * then, since nothing is taken out: it would keep the name of each policy that ever was. Of those that went, what is left is a binding.
   */
  start(): void {
    this.#isStarted = true;
    const bound = [...this.#world.mutatingadmissionpolicybindings.keys()].map(policyOfBinding);
    this.#now(this.#allPolicies());
    this.#now(bound.filter((policy) => policy !== undefined));
  }

  /** What the API server was seen to act by, or not to. */
  evidenceFound(policies: Iterable<string>): void {
    this.#now(policies);
  }

  /** What an administrator says to all policies at once is not to wait. */
  settingsChanged(): void {
    this.#world.acting.settingsChanged();
    this.#world.counts.settingsChanged();
    this.#now(this.#allPolicies());
  }

  /** Of some resources nothing is heard any more, or all is heard again. */
  heardOtherwise(): void {
    this.#everyone();
  }

  /** Whoever acts there gives way. */
  refused(namespace: string): void {
    this.#soon(this.#policiesOf(namespace));
    this.#soon(this.#policiesOf(''));
  }

  changed(resource: Exclude<ResourceName, 'configmaps'>, key: string, before: unknown): void {
    switch (resource) {
      case 'keepalivepolicies':
      case 'clusterkeepalivepolicies':
        this.#policyChanged(key, before as PolicyRecord | undefined);
        break;
      case 'nodekeepalives':
        this.#reportChanged(key, before as StoredReport | undefined);
        break;
      case 'pods':
        this.#podChanged(key, before as StoredPod | undefined);
        break;
      case 'namespaces':
        this.#soon(this.#world.counts.namespaceChanged(key, before as NamespaceView | undefined));
        break;
      case 'nodes':
        // Its labels decide whether a policy selects it, and whether there can be an agent.
        this.#soon(this.#world.counts.concernedBy(key));
        break;
      case 'mutatingadmissionpolicybindings':
        this.#bindingChanged(key);
        break;
      default:
        if (concernEveryPolicy.has(resource)) this.#everyone();
    }
  }

  /** Its values may now bind, or no longer bind, on pods of others; a new status is no news to them. */
  #policyChanged(key: string, before: PolicyRecord | undefined): void {
    const { acting, counts, told, refused } = this.#world;
    const after = this.#world.policy(key);
    // Also in a replica that does not lead, and looks at nothing.
    if (after === undefined) {
      told.forget(key);
      refused.forget(key);
    }
    const moves = isSameSpec(before, after) ? [] : acting.changed(key, before, after);
    for (const [moved, actsOrDid] of moves) {
      if (moved !== key) this.#soon([moved]);
      if (actsOrDid) this.#soon(counts.policyChanged(moved));
    }
    // Last: a worker that is free begins at once, and would look at what it was, for nobody to ask it again.
    this.#now([key]);
  }

  /** Of whom it says something else than before, or nothing any more. */
  #reportChanged(node: string, before: StoredReport | undefined): void {
    const now = this.#world.nodekeepalives.get(node);
    this.#soon(this.#world.counts.reportingChanged(node));
    noteTold(node, this.#world);
    const [then, said] = [before?.said, now?.said];
    this.#world.told.takeBack(node, Contributions.unsaid(then, said));
    if (!this.#isStarted) return;
    // Where no agent runs, it is told how many reports there are all the same.
    if (!this.#anyAgent && (before === undefined || now === undefined)) this.#everyone();
    this.#soon(Contributions.differing(then, said));
    for (const namespace of differing(before?.shortened, now?.shortened))
      this.#soon(this.#policiesOf(namespace));
  }

  /** Whether an agent is ready decides whether the word of its node counts. */
  #podChanged(key: string, before: StoredPod | undefined): void {
    const { counts, pods, anyAgent } = this.#world;
    const counted = counts.podChanged(key, before);
    this.#soon(counted);
    const nodes = [...new Set([before?.node, pods.get(key)?.node])].filter((node) => node !== undefined);
    // An agent may hear of a pod sooner than we do, and tell of it.
    for (const node of nodes) noteTold(node, this.#world, counted);
    if (parseKey(key).namespace !== this.#world.homes.agents) return;
    for (const node of nodes) this.#soon(counts.reportingChanged(node));
    if (anyAgent !== this.#anyAgent) this.#everyone();
    this.#anyAgent = anyAgent;
  }

  #bindingChanged(name: string): void {
    const policy = policyOfBinding(name);
    if (policy === undefined) this.#everyone();
    else this.#now([policy]);
  }

  #everyone(): void {
    if (!this.#isStarted) return;
    // The status of one in excess depends on settings and on what is older: as many as a tenant likes are not looked at for what is none of theirs.
    const { acting, clusterkeepalivepolicies } = this.#world;
    this.#soon(acting.all(clusterkeepalivepolicies.keys()));
  }

  #now(keys: Iterable<string>): void {
    if (this.#isStarted) for (const key of keys) this.#queue.add(key);
  }

  #soon(keys: Iterable<string>): void {
    if (!this.#isStarted) return;
    // What is not there any more needs no look: it had one when it went.
    for (const key of keys) if (this.#world.policy(key) !== undefined) this.#queue.addAfter(key, gatherMs);
  }

  /** Of a namespace, as many as may act, or those of the cluster. */
  #policiesOf(namespace: string): Iterable<string> {
    const { acting, clusterkeepalivepolicies } = this.#world;
    return namespace === '' ? clusterkeepalivepolicies.keys() : acting.in(namespace);
  }

  #allPolicies(): string[] {
    return [...this.#world.keepalivepolicies.keys(), ...this.#world.clusterkeepalivepolicies.keys()];
  }
}

/** Deleted and made again between two looks, it is another. */
function isSameSpec(before: PolicyRecord | undefined, after: PolicyRecord | undefined): boolean {
  if (before?.uid !== after?.uid || before?.generation !== after?.generation) return false;
  return isDeepStrictEqual(before?.policy, after?.policy);
}

/** Keys under which two maps do not hold the same. */
function differing<T>(
  before: ReadonlyMap<string, T> = new Map(),
  now: ReadonlyMap<string, T> = new Map(),
): string[] {
  const keys = new Set([...before.keys(), ...now.keys()]);
  return [...keys].filter((key) => !isDeepStrictEqual(before.get(key), now.get(key)));
}
