import type { KeepaliveFiles } from '../kernel/keepalive-files.ts';
import { NamespaceGone } from '../kernel/keepalive-files.ts';
import type { Triple, TripleKey } from '../api/triple.ts';
import type { Place, PodPlace } from '../policy/place.ts';
import { HOST } from '../policy/place.ts';
import type { PodIdentity } from '../policy/pod-identity.ts';
import type { Reading } from '../policy/reading.ts';
import type { Memory, Settlement, Wanted } from '../policy/tighten.ts';
import { isEmpty, isKnown, rememberedAfter, settle } from '../policy/tighten.ts';
import type { Ledger, Noting } from './ledger.ts';
import type { LedgerEntry } from './ledger-line.ts';
import type { LeftPlace } from './left-place.ts';
import { leftPlace } from './left-place.ts';
import type { OpenNamespace } from './namespaces.ts';
import { Namespaces } from './namespaces.ts';
import { contested, failed, nothing, reasonOf } from './no-reading.ts';
import { writeNoted } from './noted-write.ts';
import { Overrides } from './overrides.ts';

export interface Visit {
  readonly place: Place;
  /** Where nobody asks for anything, what we changed goes back. */
  readonly wanted: Wanted;
  /** The pod may have a new sandbox: what is known of the old one does not count. */
  readonly anew: boolean;
  /**
   * Containers of the pod came or went: where the process that led to its network has ended, another network may be its own by now. The
   * one before lives on for as long as anybody holds it, be it by a connection whose end is not acknowledged.
   */
  readonly moved?: boolean;
  /** Nothing is changed, neither set nor put back. */
  readonly readOnly?: boolean;
  /** Some policy wants to be told what is there. Where none does and nothing is remembered, it is not looked for. */
  readonly asked: boolean;
}

/** The network namespace of a pod, as long as its cookie is found through that process. */
export interface Network {
  readonly cookie: bigint;
  readonly pid: number;
}

/** What came of giving everything back. */
export interface Restored {
  /** Where every value is as it was found. */
  readonly back: readonly Place[];
  readonly left: readonly LeftPlace[];
}

export interface NodeKernelOptions {
  /** Where the host's proc is mounted. */
  readonly procRoot: string;
  readonly ledger: Ledger;
  /** Milliseconds of a clock that never goes backwards; only differences mean anything. */
  readonly now?: () => number;
  /** Told how long it took whenever all processes of the node were gone through, and what was found was opened. */
  readonly onWalk?: (ms: number) => void;
  /** Told before each place. */
  readonly onStep?: () => void;
}

const asHeld: Wanted = { asked: undefined, hold: true };
const asFound: Wanted = { asked: undefined, hold: false };
const nothingKnown: Pick<LedgerEntry, 'memory' | 'repaired'> = { memory: {}, repaired: 0 };

/** The keepalive values of one node, place by place. All of it blocks: it belongs into a thread of its own. */
export class NodeKernel {
  readonly #ledger: Ledger;
  readonly #namespaces: Namespaces;
  readonly #overrides: Overrides;
  readonly #onStep: () => void;
  /** Places whose values this process has seen as it wanted them: only what departs from there was overridden. */
  readonly #confirmed = new Set<Place>();
  /** All pods of the node, as the API server told of them last; undefined before it could be asked. */
  #pods: ReadonlyMap<PodPlace, PodIdentity> | undefined;
  /** Found by what the ledger says of their control group, since nobody else could be asked. */
  readonly #foundByLedger = new Set<Place>();
  /** Pods that others lay claim to as well, when pods were last looked for: nothing is changed there. */
  #contested: ReadonlyMap<Place, readonly string[]> = new Map();

  constructor({ procRoot, ledger, now = () => performance.now(), onWalk, onStep }: NodeKernelOptions) {
    this.#onStep = onStep ?? (() => undefined);
    this.#ledger = ledger;
    this.#namespaces = new Namespaces(procRoot, onWalk);
    this.#overrides = new Overrides(now);
  }

  /**
   * One bad place never keeps the others from being visited. `pods`: all that there are by now; what is known of any
   * other is forgotten first. Tells of pods that were not asked for where another turned out to lay claim to them.
   */
  visit(visits: readonly Visit[], pods?: ReadonlyMap<PodPlace, PodIdentity>): Reading[] {
    if (pods !== undefined) this.#keepOnly(pods);
    for (const { place, anew } of visits) if (anew) this.#namespaces.close(place);
    const readings = new Map(visits.map((visit) => [visit.place, this.#attempt(visit)]));
    const lost = visits.filter((visit) => readings.get(visit.place) === undefined && this.#isSought(visit));
    const failures = this.#look(lost.map(({ place }) => place));
    for (const visit of lost) {
      const reason = failures.get(visit.place);
      readings.set(
        visit.place,
        reason === undefined ? this.#attempt(visit, 'at last') : failed(visit.place, reason),
      );
    }
    for (const [place, by] of this.#contested) readings.set(place, contested(place, by));
    return [...readings].map(([place, reading]) => reading ?? nothing(place, 'absent'));
  }

  /** What earlier agents of this boot left set: enough to hold it before the API server can be asked. */
  remembered(): Visit[] {
    return [...this.#ledger.entries()].map(({ place }) => ({
      ...{ place, wanted: asHeld, anew: false, asked: true },
    }));
  }

  /**
   * Puts everything back as it was found, and leaves no ledger where all of it went well. A pod without a process is not gone: its runtime may
   * keep its network for the next one (CRI-O, between two starts of a container). Of such a one what was found is remembered on.
   */
  restoreAll(): Restored {
    const visits = this.remembered().map((visit) => ({ ...visit, wanted: asFound }));
    const readings = new Map(this.visit(visits).map((reading) => [reading.place, reading]));
    const left = [...this.#ledger.entries()].map(({ place }) => leftPlace(place, readings.get(place)));
    if (left.length === 0) this.#ledger.erase();
    for (const { place } of left) readings.delete(place);
    const back = readings.values().filter(({ state }) => state !== 'absent');
    return { back: [...back.map(({ place }) => place)], left };
  }

  /** The network namespace of a place, where it is known and nobody else lays claim to it. */
  networkOf(place: Place): Network | undefined {
    const isCertain = !this.#contested.has(place) && !this.#namespaces.isDoubted(place);
    const opened = isCertain ? this.#namespaces.get(place) : undefined;
    return opened?.cookie === undefined ? undefined : { cookie: opened.cookie, pid: opened.pid };
  }

  /** The process that led to its namespace has ended: it is looked for anew when it is visited next. */
  lose(place: Place): void {
    this.#namespaces.doubt(place);
  }

  close(): void {
    this.#namespaces.closeAll();
  }

  /** Forgets all other places: their pods are no more, and with those went what was changed. */
  #keepOnly(pods: ReadonlyMap<PodPlace, PodIdentity>): void {
    this.#pods = pods;
    // What a file on the node says never outlives the word of the API server.
    for (const place of this.#foundByLedger)
      if (place !== HOST && pods.has(place)) this.#namespaces.close(place);
    this.#foundByLedger.clear();
    const known = [...this.#ledger.entries()].map(({ place }) => place);
    for (const place of new Set([
      ...known,
      ...this.#namespaces.places(),
      ...this.#confirmed,
      ...this.#overrides.places(),
    ]))
      if (place !== HOST && !pods.has(place) && !this.#isOrphan(place)) this.#forget(place);
    this.#contested = new Map([...this.#contested].filter(([place]) => place !== HOST && pods.has(place)));
  }

  /** Its pod is gone from the API and runs on, as a static pod does until its copy is made anew under another uid. */
  #isOrphan(place: Place): boolean {
    if (this.#ledger.get(place) === undefined) return false;
    try {
      return this.#namespaces.get(place)?.files.read() !== undefined;
    } catch {
      return false;
    }
  }

  /** A walk through all processes is for those who ask for something, or may, or have something to be given back. */
  #isSought({ place, wanted, asked }: Visit): boolean {
    const isAsked = asked || wanted.asked !== undefined || wanted.hold;
    return place === HOST || isAsked || this.#ledger.get(place) !== undefined;
  }

  #look(places: readonly Place[]): ReadonlyMap<Place, string> {
    const pods = new Map(this.#pods ?? []);
    for (const place of places) {
      const group = this.#ledger.get(place)?.group;
      if (place === HOST || group === undefined || pods.has(place)) continue;
      pods.set(place, { name: place, group, containers: [] });
      this.#foundByLedger.add(place);
    }
    const { failures, contested } = this.#namespaces.open({ places, pods });
    if (contested !== undefined) this.#contested = contested;
    return failures;
  }

  /** Undefined: the place has to be looked for. `at last`: it was, and what is open is the best there is. */
  #attempt(visit: Visit, when: 'first' | 'at last' = 'first'): Reading | undefined {
    this.#onStep();
    const { place, moved } = visit;
    if (moved && !this.#namespaces.isLed(place)) this.#namespaces.doubt(place);
    const isSoughtFirst = when === 'first' && this.#namespaces.isDoubted(place);
    const opened = this.#namespaces.get(place);
    if (opened === undefined || isSoughtFirst || this.#contested.has(place)) return undefined;
    try {
      return this.#settle(visit, opened);
    } catch (error) {
      if (!(error instanceof NamespaceGone)) return failed(place, reasonOf(error as Error));
      this.#lost(place, opened);
      return undefined;
    }
  }

  /** What was changed went with it. */
  #lost(place: Place, { identity }: OpenNamespace): void {
    if (this.#ledger.get(place)?.namespace === identity) this.#forgetValues(place);
    this.#namespaces.close(place);
  }

  /** Where a pod has a kernel of its own, what is held here is of no use: whatever an agent before changed goes back. */
  #settle(visit: Visit, opened: OpenNamespace): Reading {
    const { sandbox } = opened;
    const doubt: Pick<Reading, 'doubted'> = this.#namespaces.isDoubted(visit.place) ? { doubted: true } : {};
    if (sandbox === undefined) return { ...this.#settleValues(visit, opened), ...doubt };
    const reading = { ...this.#settleValues({ ...visit, wanted: asFound }, opened), ...doubt };
    return { ...reading, state: 'sandboxed', sandbox, reason: `a kernel of its own (${sandbox})`, now: {} };
  }

  #settleValues({ place, wanted, readOnly }: Visit, { files, identity, group }: OpenNamespace): Reading {
    const seen = files.read();
    const known = this.#known(place, identity) ?? nothingKnown;
    if (readOnly) return this.#asItIs(place, seen);
    const { settlement, repairs } = this.#judge(place, seen.values, (leave) =>
      settle(seen.values, wanted, known.memory, leave),
    );
    const remember = (memory: Memory, repaired: number, at: Noting) => {
      if (isEmpty(memory)) this.#ledger.remove(place);
      else this.#ledger.note({ place, group, namespace: identity, memory, repaired }, at);
    };
    // Where nothing is said that the ledger does not say already, one that cannot be written keeps no value from going back.
    const noting = isKnown(settlement.before, known.memory) ? 'where possible' : 'once';
    const outcome = writeNoted(files, seen, settlement, (memory) =>
      remember(memory, known.repaired + (repairs ? 1 : 0), noting),
    );
    const { now, faults, refused } = outcome;
    const putRight = repairs && !settlement.overridden.some((key) => refused.includes(key));
    const repaired = known.repaired + (putRight ? 1 : 0);
    remember(rememberedAfter(settlement, known.memory, outcome), repaired, 'later');
    if (refused.length === 0) this.#confirmed.add(place);
    else this.#confirmed.delete(place);
    const override = this.#overrides.recent(place);
    return {
      ...{ place, state: 'read', now, faults, repaired, putRight, wrote: settlement.writes },
      found: foundOf(this.#ledger.get(place)?.memory ?? {}),
      ...(override === undefined ? {} : { override }),
    };
  }

  #asItIs(place: Place, { values, faults }: ReturnType<KeepaliveFiles['read']>): Reading {
    const known = this.#ledger.get(place);
    return {
      ...{ place, state: 'read', now: values, faults, repaired: known?.repaired ?? 0, putRight: false },
      ...{ found: foundOf(known?.memory ?? {}), wrote: {} },
    };
  }

  /** A pod's next sandbox has a namespace of its own: what was changed went with the one before. */
  #known(place: Place, identity: string) {
    const known = this.#ledger.get(place);
    if (known?.namespace === identity) return known;
    if (known !== undefined) this.#forgetValues(place);
    return this.#ledger.adopt(place, identity);
  }

  /** What to do where a value that was seen in order is overridden: put it right, or leave it for a while. */
  #judge(
    place: Place,
    values: Partial<Triple>,
    decide: (leave?: readonly TripleKey[]) => Settlement,
  ): { settlement: Settlement; repairs: boolean } {
    const settlement = decide();
    const [key] = settlement.overridden;
    if (key === undefined || !this.#confirmed.has(place)) return { settlement, repairs: false };
    if (this.#overrides.judge(place, { key, seen: values[key] ?? 0 }) === 'put right')
      return { settlement, repairs: true };
    return { settlement: decide(settlement.overridden), repairs: false };
  }

  #forget(place: Place): void {
    this.#namespaces.close(place);
    this.#forgetValues(place);
  }

  #forgetValues(place: Place): void {
    this.#ledger.remove(place);
    this.#confirmed.delete(place);
    this.#overrides.forget(place);
  }
}

function foundOf(memory: Memory): Partial<Triple> {
  return Object.fromEntries(Object.entries(memory).map(([key, { found }]) => [key, found]));
}
