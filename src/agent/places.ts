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

/** What its pod went through since it was last visited, however many rounds failed or passed it over. */
interface News {
  readonly anew: boolean;
  readonly moved: boolean;
}

interface Known extends Asked {
  readonly pod: NodePod | undefined;
  news: News;
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
  /** Of the last plan: a visit tells of others as well, which nobody has gone to. */
  #visited: ReadonlySet<Place> = new Set();

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
    const planned = visits
      .filter(({ due, lost }) => everything || due || (lost && looksAgain))
      .map(({ visit }) => visit);
    this.#visited = new Set(planned.map(({ place }) => place));
    return planned;
  }

  /** `walkMs`: what it took to go through all processes and to open what was found, where that was done. */
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
      if (this.#visited.has(reading.place)) place.news = noNews;
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
    const news = known === undefined ? noNews : newsOf(known, now.pod);
    const place = { ...(known ?? unvisited), ...now, news };
    this.#places.set(name, place);
    const lost = isLost(place);
    const hasNews = isChanged(place);
    // Whoever is looked for waits for the next look, however often a program or its owner make news of it.
    if (lost && hasNews) this.#search.hasten();
    return { visit: visitOf(name, now, news), due: !lost && hasNews, lost };
  }
}

function visitOf(place: Place, { wanted, asked, readOnly }: Asked, { anew, moved }: News): Visit {
  return { place, wanted, asked, anew, ...(moved ? { moved } : {}), ...(readOnly ? { readOnly } : {}) };
}

const noNews: News = { anew: false, moved: false };
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

/** It is another, or asked of it is something else, than when it was last visited. */
function isChanged(place: Known): boolean {
  const { anew, moved } = place.news;
  return anew || moved || place.reading === undefined || !isDeepStrictEqual(place.heldFor, askedOf(place));
}

function newsOf({ news, pod }: Known, now: NodePod | undefined): News {
  return {
    anew: news.anew || pod?.addresses !== now?.addresses,
    moved: news.moved || hasMoved(pod, now),
  };
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
