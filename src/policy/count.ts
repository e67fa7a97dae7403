import { Census } from './census.ts';
import type { Basis } from './judgement.ts';
import { isSameBasis } from './judgement.ts';
import type { NamespaceView, PodView } from './pod.ts';
import type { EffectivePolicy, Policy } from './policy.ts';
import { selectsNamespace } from './policy.ts';
import type { GivenSince } from './withholding.ts';

/** What is counted: the present of it. */
export interface Population {
  /** The keys of the pods of a namespace. */
  podsIn(namespace: string): ReadonlySet<string>;
  pod(key: string): PodView | undefined;
  namespace(name: string): NamespaceView | undefined;
}

/** Pods are brought from one basis to another. */
interface Change {
  readonly namespace: string;
  readonly from: Basis | undefined;
  readonly to: Basis | undefined;
}

/** One that takes several steps. */
interface Move extends Change {
  /** Those that still count on the old basis. */
  readonly left: Set<string>;
}

/** In about a quarter of a millisecond: a list of what is left, a step and a look at the clock for each would take as long as counting does. */
const mostInStep = 256;

const nobody: ReadonlySet<string> = new Set();

/**
 * The census of one policy, kept equal to what is there: a pod that comes, changes or goes is counted by itself, and where
 * more changed (a namespace, the policy) its pods are counted bit by bit, while others come and go.
 */
export class PolicyCount {
  readonly policy: EffectivePolicy;
  readonly census: Census;
  readonly #population: Population;
  readonly #podsInStep: number;
  #givenSince: GivenSince;
  /** On what the pods of a namespace were counted; none of the others were. */
  readonly #bases = new Map<string, Basis>();
  readonly #due: Set<string>;
  #move: Move | undefined;

  /** `podsInStep`: so many are counted at once. */
  constructor(
    policy: EffectivePolicy,
    givenSince: GivenSince,
    population: Population,
    podsInStep = mostInStep,
  ) {
    this.policy = policy;
    this.census = new Census(policy);
    this.#givenSince = givenSince;
    this.#population = population;
    this.#podsInStep = podsInStep;
    this.#due = new Set();
  }

  /** Nothing is left to be counted. */
  get isSettled(): boolean {
    return this.#due.size === 0 && this.#move === undefined;
  }

  /** True where its pods have to be counted anew. */
  namespaceChanged(name: string): boolean {
    const counted = this.#move?.namespace === name ? this.#move.to : this.#bases.get(name);
    if (isSameBasis(counted, this.#basisNow(name))) return this.#due.delete(name);
    this.#due.add(name);
    return true;
  }

  /** From when on pods are given the values is another somewhere. */
  sinceChanged(givenSince: GivenSince): void {
    this.#givenSince = givenSince;
    const counted = this.#move === undefined ? [] : [this.#move.namespace];
    for (const name of [...this.#bases.keys(), ...counted]) this.namespaceChanged(name);
  }

  /** To be told once, after it changed. True where it is selected, or was. */
  podChanged(key: string, before: PodView | undefined, after: PodView | undefined): boolean {
    const { namespace = '' } = after ?? before ?? {};
    const basis = this.basisOf(namespace, key);
    if (basis === undefined) return false;
    const on = (pod: PodView | undefined) => pod && { pod, basis };
    return this.census.change(on(before), on(after));
  }

  /** On what a pod counts; undefined: it does not. */
  basisOf(namespace: string, key: string): Basis | undefined {
    const move = this.#move;
    if (move?.namespace !== namespace) return this.#bases.get(namespace);
    return move.left.has(key) ? move.from : move.to;
  }

  /** Counts what is due; stops after so many pods at most. What changes in between has to be told as ever. */
  *settle(): Generator<void> {
    while (this.#move !== undefined || this.#begin()) {
      if (this.#move !== undefined) yield* this.#goOn(this.#move);
      yield;
    }
  }

  /** False where nothing is due. Where few pods are moved, nothing can change in between, so what is left need not be listed. */
  #begin(): boolean {
    const [namespace] = this.#due;
    if (namespace === undefined) return false;
    this.#due.delete(namespace);
    const move = { namespace, from: this.#bases.get(namespace), to: this.#basisNow(namespace) };
    const keys = isSameBasis(move.from, move.to) ? nobody : this.#population.podsIn(namespace);
    if (keys.size > this.#podsInStep) this.#move = { ...move, left: new Set(keys) };
    else {
      for (const key of keys) this.#bring(key, move);
      this.#hold(move);
    }
    return true;
  }

  *#goOn(move: Move): Generator<void> {
    let brought = 0;
    for (const key of move.left) {
      this.#bring(key, move);
      move.left.delete(key);
      brought += 1;
      if (brought % this.#podsInStep === 0) yield;
    }
    this.#hold(move);
    this.#move = undefined;
  }

  #bring(key: string, { from, to }: Change): void {
    const pod = this.#population.pod(key);
    if (pod === undefined) return;
    const on = (basis: Basis | undefined) => basis && { pod, basis };
    this.census.change(on(from), on(to));
  }

  #hold({ namespace, to }: Change): void {
    if (to === undefined) this.#bases.delete(namespace);
    else this.#bases.set(namespace, to);
  }

  #basisNow(name: string): Basis | undefined {
    const { policy } = this;
    const namespace = namespaceFor(policy, name, this.#population);
    if (namespace === undefined || !selectsNamespace(policy, namespace)) return undefined;
    return { namespace, sinceMs: this.#givenSince(name) };
  }
}

/**
 * A namespace as a policy is counted in it. One whose own watch is a moment behind that of its pods, or of its policies, has no
 * labels yet: its own policies are there all the same, and undefined is said to those of the cluster.
 */
export function namespaceFor(
  policy: Policy,
  name: string,
  population: Pick<Population, 'namespace'>,
): NamespaceView | undefined {
  return population.namespace(name) ?? (policy.kind === 'KeepalivePolicy' ? { name, labels: {} } : undefined);
}
