import type { SettingsReading } from '../api/settings.ts';
import { sortKeyOf } from '../policy/limits.ts';
import type { Policy } from '../policy/policy.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { asItMayAct, withheld } from '../policy/withheld.ts';

interface Entry {
  readonly age: string;
  readonly key: string;
}

/** Which policies may act, and how, without asking all of them each time: the oldest of each namespace, and those of the cluster. */
export class Acting {
  readonly #recordOf: (key: string) => PolicyRecord | undefined;
  readonly #settings: () => SettingsReading['settings'];
  /** Oldest first, by namespace. */
  readonly #ages = new Map<string, Entry[]>();
  readonly #known = new Map<string, Policy | undefined>();

  constructor(
    recordOf: (key: string) => PolicyRecord | undefined,
    settings: () => SettingsReading['settings'],
  ) {
    this.#recordOf = recordOf;
    this.#settings = settings;
  }

  /** Its namespace has as many older ones as it may have. */
  isInExcess({ kind, namespace, name, createdAt }: PolicyRecord): boolean {
    if (kind !== 'KeepalivePolicy') return false;
    const ages = this.#ages.get(namespace) ?? [];
    return placeOf(ages, sortKeyOf({ name, createdAt })) >= this.#settings().policiesPerNamespace;
  }

  /** As it may act; undefined where it may not, or is not there. */
  of(key: string): Policy | undefined {
    if (this.#known.has(key)) return this.#known.get(key);
    const record = this.#recordOf(key);
    if (record === undefined) return undefined;
    const claim = { record, settings: this.#settings(), inExcess: this.isInExcess(record) };
    const policy = asItMayAct(claim, withheld(claim));
    this.#known.set(key, policy);
    return policy;
  }

  /** Keys of the policies of a namespace, the oldest first, as many as may act. */
  in(namespace: string): string[] {
    const ages = this.#ages.get(namespace) ?? [];
    return ages.slice(0, this.#settings().policiesPerNamespace).map(({ key }) => key);
  }

  /** How many are in excess, of all namespaces. */
  get excess(): number {
    const most = this.#settings().policiesPerNamespace;
    let excess = 0;
    for (const ages of this.#ages.values()) excess += Math.max(0, ages.length - most);
    return excess;
  }

  namespaces(): IterableIterator<string> {
    return this.#ages.keys();
  }

  /** Keys of all that may act: those of the cluster as well as the oldest of each namespace. */
  *all(clusterPolicies: Iterable<string>): Generator<string> {
    for (const namespace of this.#ages.keys()) yield* this.in(namespace);
    yield* clusterPolicies;
  }

  /** To be told when a policy comes, changes or goes. Keys of those that may act otherwise than before, each with whether it acts or did. */
  changed(
    key: string,
    before: PolicyRecord | undefined,
    after: PolicyRecord | undefined,
  ): ReadonlyMap<string, boolean> {
    const { kind, namespace } = after ?? before ?? {};
    if (kind !== 'KeepalivePolicy' || namespace === undefined) {
      this.#known.delete(key);
      return new Map([[key, true]]);
    }
    const then = this.in(namespace);
    if (before !== undefined) this.#takeOut(before);
    if (after !== undefined) this.#putIn(after, key);
    const moved = new Set([key, ...differenceOf(then, this.in(namespace))]);
    return new Map([...moved].map((one) => [one, this.#actsOrDid(one, then.includes(one))]));
  }

  /** Where nobody asked whether it acted, it may have, if it was not in excess. */
  #actsOrDid(key: string, mightAct: boolean): boolean {
    const did = this.#known.has(key) ? this.#known.get(key) !== undefined : mightAct;
    this.#known.delete(key);
    return did || this.of(key) !== undefined;
  }

  settingsChanged(): void {
    this.#known.clear();
  }

  #putIn(record: PolicyRecord, key: string): void {
    const ages = this.#ages.get(record.namespace) ?? [];
    const age = sortKeyOf(record);
    ages.splice(placeOf(ages, age), 0, { age, key });
    this.#ages.set(record.namespace, ages);
  }

  #takeOut(record: PolicyRecord): void {
    const ages = this.#ages.get(record.namespace) ?? [];
    const age = sortKeyOf(record);
    const at = placeOf(ages, age);
    if (ages[at]?.age === age) ages.splice(at, 1);
    if (ages.length === 0) this.#ages.delete(record.namespace);
  }
}

/** How many are older. */
function placeOf(ages: readonly Entry[], age: string): number {
  let [from, to] = [0, ages.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ages[middle]?.age ?? '') < age) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** At most one comes and one goes: the lists are as long as the limit. */
function differenceOf(a: readonly string[], b: readonly string[]): string[] {
  const [inA, inB] = [new Set(a), new Set(b)];
  return [...a.filter((key) => !inB.has(key)), ...b.filter((key) => !inA.has(key))];
}
