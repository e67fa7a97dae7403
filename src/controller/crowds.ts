import { namespaceFor } from '../policy/count.ts';
import { Crowd } from '../policy/crowd.ts';
import { isLeft } from '../policy/judgement.ts';
import type { NamespaceView, PodView } from '../policy/pod.ts';
import { selectsNamespace } from '../policy/policy.ts';
import type { Shared } from '../policy/rival-count.ts';
import { MatchMemory } from '../policy/match-memory.ts';
import type { World } from './world.ts';

/** Of what policies select, where it is remembered. */
const memoryBytes = 24 * 1024 ** 2;

/** Pods of these labels on which values bind now, or no more. */
export interface CrowdChange {
  readonly namespace: string;
  readonly labels: PodView['labels'];
  readonly by: 1 | -1;
}

/** The pods on which values of policies bind, by namespace, as far as anybody asked. */
export class Crowds {
  readonly #world: World;
  readonly #crowds = new Map<string, Crowd>();
  readonly #memory = new MatchMemory(memoryBytes);
  /** Nodes whose agents report, as the crowds were counted. */
  readonly #reporting = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  get size(): number {
    return this.#crowds.size;
  }

  /** From now on it is kept up. */
  of(namespace: string): Crowd {
    const held = this.#crowds.get(namespace);
    if (held !== undefined) return held;
    const crowd = new Crowd(this.#memory);
    for (const pod of this.#world.pods.listBy('namespace', namespace))
      if (this.#isBound(pod)) crowd.change(pod, 1);
    this.#crowds.set(namespace, crowd);
    return crowd;
  }

  /** False where nobody asked about the namespace: nothing is counted there yet. */
  change({ namespace, labels, by }: CrowdChange): boolean {
    const crowd = this.#crowds.get(namespace);
    crowd?.change({ labels }, by);
    return crowd !== undefined;
  }

  /** A pod is another, or came or went. */
  changesBetween(before: PodView | undefined, after: PodView | undefined): CrowdChange[] {
    const [was, is] = [before, after].map((pod) =>
      pod !== undefined && this.#isBound(pod) ? pod : undefined,
    );
    if (was?.labels === is?.labels) return [];
    return [...changeOf(was, -1), ...changeOf(is, 1)];
  }

  /** Of the pods of a node whose agent reports since, or no more; undefined where it does as before. */
  reportingChanged(node: string): CrowdChange[] | undefined {
    const isReporting = this.#world.isReporting(node);
    if (isReporting === this.#reporting.has(node)) return undefined;
    const pods = this.#crowds.size === 0 ? [] : this.#world.pods.listBy('place', node);
    const were = new Set(pods.filter((pod) => this.#isBound(pod)));
    if (isReporting) this.#reporting.add(node);
    else this.#reporting.delete(node);
    return pods
      .filter((pod) => this.#isBound(pod) !== were.has(pod))
      .flatMap((pod) => changeOf(pod, were.has(pod) ? -1 : 1));
  }

  /** In a namespace, as it is whenever it is asked. */
  sharedIn(namespace: string): Shared {
    return (one, other) =>
      shared(one, other, namespace, {
        view: this.#world.namespaces.get(namespace),
        crowd: () => this.of(namespace),
      });
  }

  /** The same, as it was until it changed. `isAnother`: the same pods are another crowd by now. */
  sharedBefore(namespace: string, view: NamespaceView | undefined, isAnother: boolean): Shared {
    const held = this.#crowds.get(namespace);
    if (isAnother) this.#crowds.delete(namespace);
    const crowd = isAnother ? held : held && new Crowd(this.#memory, held);
    return (one, other) => shared(one, other, namespace, { view, crowd: () => crowd });
  }

  #isBound(pod: PodView): boolean {
    const { namespace: name, node } = pod;
    const namespace = this.#world.namespaces.get(name) ?? { name, labels: {} };
    return pod.live && !isLeft(pod, namespace, node === undefined || !this.#reporting.has(node));
  }
}

function changeOf(pod: PodView | undefined, by: 1 | -1): CrowdChange[] {
  return pod === undefined ? [] : [{ namespace: pod.namespace, labels: pod.labels, by }];
}

interface Place {
  readonly view: NamespaceView | undefined;
  readonly crowd: () => Crowd | undefined;
}

function shared(
  ...[one, other, name, { view, crowd }]: [...Parameters<Shared>, string, Place]
): number | undefined {
  const namespace = namespaceFor(one, name, { namespace: () => view });
  if (namespace === undefined || !selectsNamespace(one, namespace) || !selectsNamespace(other, namespace))
    return 0;
  const there = crowd();
  return there === undefined ? 0 : there.sharedBy(one, other);
}
