import { isDeepStrictEqual } from 'node:util';

import { parseKey } from '../kube/resource.ts';
import type { WorkQueue } from '../kube/queue.ts';
import { policyOfBinding } from '../policy/admission.ts';
import type { StoredReport } from './record.ts';
import type { ResourceName } from './resource.ts';
import type { World } from './world.ts';

/** Pods come and go in crowds: what they change in a status is gathered for this long. */
const gatherMs = 1000;
const longestGatherMs = 30_000;
/** A policy may take one part in so many of a core: assessing one over 150,000 pods takes a while. */
const share = 20;

/** Of a node, the labels decide whether there can be an agent. */
const concernEveryPolicy: ReadonlySet<ResourceName> = new Set([
  ...(['nodes', 'daemonsets', 'events', 'mutatingadmissionpolicies'] as const),
]);

/** Knows which policies have to be looked at when something changes. */
export class Triggers {
  readonly #world: World;
  readonly #queue: Pick<WorkQueue, 'add' | 'addAfter'>;
  readonly #costMs = new Map<string, number>();
  /** uid and generation of each policy as last seen: a new status is no news to other policies. */
  readonly #specs = new Map<string, string>();

  /** What each node reported last. */
  readonly #reported = new Map<string, StoredReport>();
  readonly #agentNamespace: string;

  constructor(world: World, queue: Pick<WorkQueue, 'add' | 'addAfter'>, agentNamespace: string) {
    this.#world = world;
    this.#queue = queue;
    this.#agentNamespace = agentNamespace;
  }

  /** How long the last look at a policy took, so that the next waits in proportion. */
  noteCost(key: string, ms: number): void {
    if (this.#world.policy(key) !== undefined) this.#costMs.set(key, ms);
  }

  /** What the API server was seen to act by, or not to. */
  evidenceFound(policies: Iterable<string>): void {
    for (const policy of policies) this.#queue.add(policy);
  }

  /** What an administrator says to all policies at once is not to wait. */
  settingsChanged(): void {
    for (const policy of this.#allPolicies()) this.#queue.add(policy);
  }

  /** Whoever acts there gives way. */
  refused(namespace: string): void {
    this.#soon(this.#policiesOf(namespace));
  }

  changed(resource: Exclude<ResourceName, 'configmaps'>, key: string): void {
    switch (resource) {
      case 'keepalivepolicies':
      case 'clusterkeepalivepolicies':
        this.#policyChanged(key);
        break;
      case 'nodekeepalives':
        this.#reportChanged(key);
        break;
      case 'pods':
        this.#podChanged(key);
        break;
      case 'namespaces':
        this.#namespaceChanged(key);
        break;
      case 'mutatingadmissionpolicybindings':
        this.#bindingChanged(key);
        break;
      default:
        if (concernEveryPolicy.has(resource)) this.#soon(this.#allPolicies());
    }
  }

  #policyChanged(key: string): void {
    this.#queue.add(key);
    const record = this.#world.policy(key);
    const spec = record && `${record.uid} ${record.generation}`;
    if (this.#specs.get(key) === spec) return;
    if (spec === undefined) {
      this.#specs.delete(key);
      this.#costMs.delete(key);
    } else {
      this.#specs.set(key, spec);
    }
    // Its values may now bind, or no longer bind, on pods of others.
    this.#soon(key.includes('/') ? this.#policiesOf(parseKey(key).namespace ?? '') : this.#allPolicies());
  }

  /** Of whom it says something else than before, or nothing any more. */
  #reportChanged(node: string): void {
    const now = this.#world.nodekeepalives.get(node);
    const before = this.#reported.get(node);
    if (now === undefined) this.#reported.delete(node);
    else this.#reported.set(node, now);
    this.#soon(differing(before?.reports, now?.reports));
    for (const namespace of differing(before?.shortened, now?.shortened))
      this.#soon(
        namespace === ''
          ? this.#world.clusterkeepalivepolicies.keys()
          : this.#world.keepalivepolicies.keysBy('namespace', namespace),
      );
  }

  /** Whether an agent is ready decides whether the word of its node counts. */
  #podChanged(key: string): void {
    const { namespace = '' } = parseKey(key);
    if (namespace === this.#agentNamespace) this.#soon(this.#allPolicies());
    else this.#soon(this.#policiesOf(namespace));
  }

  #namespaceChanged(namespace: string): void {
    this.#soon(this.#policiesOf(namespace));
  }

  #bindingChanged(name: string): void {
    const policy = policyOfBinding(name);
    if (policy === undefined) this.#soon(this.#allPolicies());
    else this.#queue.add(policy);
  }

  #soon(keys: Iterable<string>): void {
    for (const key of keys) {
      const afterMs = Math.max(gatherMs, Math.min(longestGatherMs, share * (this.#costMs.get(key) ?? 0)));
      this.#queue.addAfter(key, afterMs);
    }
  }

  #policiesOf(namespace: string): string[] {
    return [
      ...this.#world.keepalivepolicies.keysBy('namespace', namespace),
      ...this.#world.clusterkeepalivepolicies.keys(),
    ];
  }

  #allPolicies(): string[] {
    return [...this.#world.keepalivepolicies.keys(), ...this.#world.clusterkeepalivepolicies.keys()];
  }
}

/** Keys under which two maps do not hold the same. */
function differing<T>(
  before: ReadonlyMap<string, T> = new Map(),
  now: ReadonlyMap<string, T> = new Map(),
): string[] {
  const keys = new Set([...before.keys(), ...now.keys()]);
  return [...keys].filter((key) => !isDeepStrictEqual(before.get(key), now.get(key)));
}
