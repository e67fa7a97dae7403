import { isDeepStrictEqual } from 'node:util';

import { keyOf } from '../kube/resource.ts';
import type { NodePod } from '../policy/node-pod.ts';
import type { Place } from '../policy/place.ts';
import { HOST } from '../policy/place.ts';
import type { Reading } from '../policy/reading.ts';
import type { NodeSelections } from '../policy/selection.ts';
import type { Wanted } from '../policy/tighten.ts';
import type { Visit } from './node-kernel.ts';
import { Search } from './search.ts';

/** What is asked of a place. */
interface Asked {
  readonly wanted: Wanted;
  /** Some policy selects it, be it only to be told. */
  readonly asked: boolean;
  /** Nothing may be changed at present. */
  readonly readOnly: boolean;
}

interface Known extends Asked {
  readonly pod: NodePod | undefined;
  reading: Reading | undefined;
  /** What was asked when it was last visited. */
  heldFor: Asked | undefined;
}

interface Occasion {
  readonly nowMs: number;
  readonly everything: boolean;
  /** Nothing may be changed at present. */
  readonly readOnly?: boolean;
}

/** Remembers what was seen where, and knows which places have to be visited. */
export class Places {
  readonly #search = new Search();
  #places = new Map<Place, Known>();

  /** The latest of each place. */
  get readings(): ReadonlyMap<Place, Reading> {
    const entries = [...this.#places].flatMap(([name, { reading }]) =>
      reading === undefined ? [] : [[name, reading] as const],
    );
    return new Map(entries);
  }

  get names(): ReadonlySet<Place> {
    return new Set(this.#places.keys());
  }

  /** `namespace/name` of the pod whose place it is. */
  podAt(name: Place): string | undefined {
    const pod = this.#places.get(name)?.pod;
    return pod && keyOf(pod);
  }

  /** Takes up what is wanted now; returns the visits that follow: what changed, what is due, or everything. */
  plan(selections: NodeSelections, { nowMs, everything, readOnly = false }: Occasion): Visit[] {
    const before = this.#places;
    this.#places = new Map();
    const { host } = selections;
    const visits = [this.#next(before, HOST, { wanted: host.wanted, pod: undefined, asked: true, readOnly })];
    for (const { pod, wanted, by } of selections.pods) {
      if (pod.hostNetwork) continue;
      visits.push(this.#next(before, pod.place, { wanted, pod, asked: by.length > 0, readOnly }));
    }
    const looksAgain = this.#search.isDue(nowMs);
    return visits
      .filter(({ due, lost }) => everything || due || (lost && looksAgain))
      .map(({ visit }) => visit);
  }

  /** `walkMs`: what it took to go through all processes, where that was done. */
  take(
    readings: readonly Reading[],
    { nowMs, walkMs }: { nowMs: number; walkMs?: number | undefined },
  ): void {
    let searched = walkMs !== undefined;
    for (const reading of readings) {
      const place = this.#places.get(reading.place);
      if (place === undefined) continue;
      place.reading = reading;
      place.heldFor = askedOf(place);
      searched ||= isLost(place);
    }
    if (searched) this.#search.ended({ nowMs, walkMs });
  }

  /** Milliseconds until it is time to look for somebody again; undefined where all are found. */
  nextDueMs(nowMs: number): number | undefined {
    return this.#places.values().some(isLost) ? this.#search.dueInMs(nowMs) : undefined;
  }

  #next(
    before: ReadonlyMap<Place, Known>,
    name: Place,
    now: Asked & Pick<Known, 'pod'>,
  ): { visit: Visit; due: boolean; lost: boolean } {
    const known = before.get(name);
    const place = { ...(known ?? unvisited), ...now };
    this.#places.set(name, place);
    const lost = isLost(place);
    const moved = known !== undefined && hasMoved(known.pod, now.pod);
    const hasNews = isChanged(place) || moved;
    // Whoever is looked for waits for the next look, however often a program or its owner make news of it.
    if (lost && hasNews) this.#search.hasten();
    const anew = known !== undefined && known.pod?.addresses !== now.pod?.addresses;
    return { visit: visitOf(name, now, { anew, moved }), due: !lost && hasNews, lost };
  }
}

function visitOf(
  place: Place,
  { wanted, asked, readOnly }: Asked,
  { anew, moved }: { readonly anew: boolean; readonly moved: boolean },
): Visit {
  return { place, wanted, asked, anew, ...(moved ? { moved } : {}), ...(readOnly ? { readOnly } : {}) };
}

const unvisited = { reading: undefined, heldFor: undefined };

/** Asked for, and not found when it was last looked for, or never looked for. */
function isLost({ asked, wanted, reading }: Known): boolean {
  const isThere = reading?.state === 'read' || reading?.state === 'sandboxed';
  const isFound = isThere && reading.doubted !== true;
  return (asked || wanted.asked !== undefined) && !isFound;
}

function askedOf({ wanted, asked, readOnly }: Asked): Asked {
  return { wanted, asked, readOnly };
}

/** Asked of it is something else than when it was last visited. */
function isChanged(place: Known): boolean {
  return place.reading === undefined || !isDeepStrictEqual(place.heldFor, askedOf(place));
}

/** What only its kubelet writes: it may have gone on from a sandbox that was being made to one that runs. */
function hasMoved(before: NodePod | undefined, now: NodePod | undefined): boolean {
  if (before === now) return false;
  return (
    before?.addresses !== now?.addresses ||
    before?.started !== now?.started ||
    !isDeepStrictEqual(before?.identity, now?.identity)
  );
}
