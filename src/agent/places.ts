import { isDeepStrictEqual } from 'node:util';

import type { NodeSelections, PodSelection } from '../policy/selection.ts';
import type { Reading } from '../policy/reading.ts';
import { HOST } from '../policy/reading.ts';
import type { Wanted } from '../policy/tighten.ts';
import { backOffMs } from '../kube/backoff.ts';
import { keyOf } from '../kube/resource.ts';
import type { Visit } from './node-kernel.ts';

interface Place {
  readonly wanted: Wanted;
  readonly pod: PodSelection['pod'] | undefined;
  reading: Reading | undefined;
  /** What was wanted when it was last visited. */
  heldFor: Pick<Place, 'wanted' | 'readOnly'> | undefined;
  readonly readOnly: boolean;
  failures: number;
  /** To be visited again then, for a reason of its own. */
  retryAtMs: number | undefined;
}

interface Occasion {
  readonly nowMs: number;
  readonly everything: boolean;
  /** Nothing may be changed at present. */
  readonly readOnly?: boolean;
}

/** A sandbox is made within a second or never; what cannot be entered is asked for now and then. */
const retry = { minMs: 100, maxMs: 10_000 };

/** Remembers what was seen where, and knows which places have to be visited. */
export class Places {
  #places = new Map<string, Place>();

  /** The latest of each place. */
  get readings(): ReadonlyMap<string, Reading> {
    const entries = [...this.#places].flatMap(([name, { reading }]) =>
      reading === undefined ? [] : [[name, reading] as const],
    );
    return new Map(entries);
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#places.keys());
  }

  /** `namespace/name` of the pod whose place it is. */
  podAt(name: string): string | undefined {
    const pod = this.#places.get(name)?.pod;
    return pod && keyOf(pod);
  }

  /** Takes up what is wanted now; returns the visits that follow: what changed, what is due, or everything. */
  plan(selections: NodeSelections, { nowMs, everything, readOnly = false }: Occasion): Visit[] {
    const before = this.#places;
    this.#places = new Map();
    const host = { wanted: selections.host.wanted, pod: undefined, readOnly };
    const visits = [this.#next(before, HOST, host, nowMs)];
    for (const { pod, wanted, sandbox } of selections.pods) {
      if (pod.hostNetwork || sandbox !== undefined) continue;
      visits.push(this.#next(before, pod.kubeletUid, { wanted, pod, readOnly }, nowMs));
    }
    return visits.filter(({ due }) => everything || due).map(({ visit }) => visit);
  }

  take(readings: readonly Reading[], nowMs: number): void {
    for (const reading of readings) {
      const place = this.#places.get(reading.place);
      if (place === undefined) continue;
      place.reading = reading;
      place.heldFor = { wanted: place.wanted, readOnly: place.readOnly };
      place.failures = reading.state === 'read' ? 0 : place.failures + 1;
      place.retryAtMs =
        reading.state === 'read' ? undefined : nowMs + backOffMs(place.failures - 1, retry, Math.random);
    }
  }

  /** Milliseconds until the first place is due by itself; undefined where none is. */
  nextDueMs(nowMs: number): number | undefined {
    const due = [...this.#places.values()].flatMap(({ retryAtMs }) =>
      retryAtMs === undefined ? [] : [retryAtMs],
    );
    return due.length === 0 ? undefined : Math.max(0, Math.min(...due) - nowMs);
  }

  #next(
    before: ReadonlyMap<string, Place>,
    name: string,
    { wanted, pod, readOnly }: Pick<Place, 'wanted' | 'pod' | 'readOnly'>,
    nowMs: number,
  ): { visit: Visit; due: boolean } {
    const known = before.get(name);
    // The pod's object changed: it may have gone on from a sandbox that was being made to one that runs.
    const moved = known !== undefined && known.pod !== pod;
    const rested = moved ? { failures: 0, retryAtMs: undefined } : {};
    const place = { ...(known ?? unvisited), ...rested, wanted, pod, readOnly };
    this.#places.set(name, place);
    const anew = moved && known.pod?.addresses !== pod?.addresses;
    return {
      visit: { place: name, wanted, anew, ...(readOnly ? { readOnly } : {}) },
      due: moved || isDue(place, nowMs),
    };
  }
}

const unvisited = {
  ...{ reading: undefined, failures: 0, retryAtMs: undefined },
  heldFor: undefined,
};

function isDue({ reading, heldFor, wanted, readOnly, retryAtMs }: Place, nowMs: number): boolean {
  const isHeld = isDeepStrictEqual(heldFor, { wanted, readOnly });
  return reading === undefined || !isHeld || (retryAtMs !== undefined && retryAtMs <= nowMs);
}
