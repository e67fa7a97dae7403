import type { PodView } from './pod.ts';
import type { Policy } from './policy.ts';
import { MatchedLabels } from './matched-labels.ts';
import type { MatchMemory } from './match-memory.ts';

type Labels = PodView['labels'];

/** So many sets of labels are looked at before others have their turn. */
const mostAtOnce = 256;
/**
 * A policy of the cluster is in many namespaces, in most of which there are few sets of labels: to look at them again is less than to
 * remember it for each.
 */
const worthRemembering = mostAtOnce;
const none = new MatchedLabels();

/** Sets of labels in the order in which they came. */
interface Row {
  readonly labels: Labels[];
  readonly places: Map<Labels, number>;
}

/**
 * Of one namespace, how many pods bear which labels, without those on which nobody's values bind. Pods of one template share an
 * object of labels, so there may be few of them to ask a selector about; where each pod has its own, each selector is asked once about
 * each, and a pair of policies is what is in both.
 */
export class Crowd {
  readonly #memory: MatchMemory;
  #row: Row = { labels: [], places: new Map() };
  /** By the place of their labels in the row. */
  #pods: number[] = [];
  /** How many of these places are of any pods. */
  #borne = 0;

  constructor(memory: MatchMemory, as?: Crowd) {
    this.#memory = memory;
    if (as !== undefined) [this.#row, this.#pods, this.#borne] = [as.#row, [...as.#pods], as.#borne];
  }

  change({ labels }: Pick<PodView, 'labels'>, by: 1 | -1): void {
    const at = this.#placeOf(labels);
    const pods = this.#pods[at] ?? 0;
    this.#pods[at] = pods + by;
    if (pods === 0) this.#borne += 1;
    if (pods + by === 0) this.#borne -= 1;
    // What is remembered goes with the row: so seldom that it costs as little as coming and going did.
    if (this.#row.labels.length > 2 * this.#borne) this.#close();
  }

  #placeOf(labels: Labels): number {
    const held = this.#row.places.get(labels);
    if (held !== undefined) return held;
    this.#row.places.set(labels, this.#row.labels.length);
    return this.#row.labels.push(labels) - 1;
  }

  /** Leaves out the places of those that are gone. */
  #close(): void {
    const [row, pods] = [this.#row, this.#pods];
    [this.#row, this.#pods] = [{ labels: [], places: new Map() }, []];
    for (const [at, labels] of row.labels.entries()) {
      const here = pods[at] ?? 0;
      if (here !== 0) this.#pods[this.#placeOf(labels)] = here;
    }
  }

  /** How many pods both select. Undefined: it takes longer, so ask again when others had their turn. */
  sharedBy(one: Policy, other: Policy): number | undefined {
    const ones = this.#selectedBy(one);
    const others = ones && this.#selectedBy(other);
    return others && this.#podsIn(ones.words, others.words);
  }

  #selectedBy(policy: Policy): MatchedLabels | undefined {
    const { labels } = this.#row;
    const { podSelector } = policy.spec;
    if (podSelector === undefined) return none;
    const isRemembered = policy.kind === 'KeepalivePolicy' || labels.length >= worthRemembering;
    const selected = isRemembered ? this.#memory.of(this.#row, podSelector) : new MatchedLabels();
    const before = selected.bytes;
    const isKnown = selected.look(policy, labels, mostAtOnce);
    if (isRemembered) this.#memory.charge(selected.bytes - before);
    return isKnown ? selected : undefined;
  }

  #podsIn(ones: Uint32Array, others: Uint32Array): number {
    const words = Math.min(ones.length, others.length);
    let pods = 0;
    for (let word = 0; word < words; word += 1) {
      let both = (ones[word] ?? 0) & (others[word] ?? 0);
      while (both !== 0) {
        const bit = 31 - Math.clz32(both);
        pods += this.#pods[32 * word + bit] ?? 0;
        both ^= 1 << bit;
      }
    }
    return pods;
  }
}
