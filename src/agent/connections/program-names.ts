import { isDeepStrictEqual } from 'node:util';

import type { ConnectionCounts, ExposedGroup, SocketReading } from '../../policy/connection.ts';
import type { Place } from '../../policy/place.ts';
import { namedGroups } from './socket-tally.ts';

interface Entry {
  /** As the kernel counted last. */
  counted: SocketReading;
  /** What a look at descriptors saw. */
  seen: SocketReading | undefined;
  /** What the kernel had counted by then, and when that was. */
  seenOf: SocketReading | undefined;
  seenMs: number;
  isSought: boolean;
}

/** Names that were found are believed for so long where nothing else is counted; so is that none were. */
const believedMs = 600_000;

/**
 * Whose the exposed connections are that the kernel counted: only a look at descriptors finds that, and it sees less than
 * the kernel (nothing of what the kernel itself opened, of an accept queue, of io_uring). So it gives names, and never numbers.
 */
export class ProgramNames {
  readonly #restMs: number;
  readonly #entries = new Map<Place, Entry>();

  /** `restMs`: so long after a look, connections that come and go are no reason for another. */
  constructor(restMs: number) {
    this.#restMs = restMs;
  }

  /** Whether descriptors of that place are to be looked at now. */
  isSought(place: Place): boolean {
    return this.#entries.get(place)?.isSought === true;
  }

  /** What the kernel counted, with the names that are known. `isSettled`: what is exposed there will not be given its values at once. */
  counted(
    reading: SocketReading,
    { nowMs, isSettled }: { nowMs: number; isSettled: boolean },
  ): SocketReading {
    if (!hasWorst(reading)) {
      this.#entries.delete(reading.place);
      return reading;
    }
    const entry = this.#entries.get(reading.place) ?? unseen(reading);
    this.#entries.set(reading.place, entry);
    entry.counted = reading;
    const isNew = !isDeepStrictEqual(sizesOf(reading), entry.seenOf && sizesOf(entry.seenOf));
    const restMs = isNew ? this.#restMs : believedMs;
    if (isSettled && nowMs - entry.seenMs >= restMs) entry.isSought = true;
    return named(entry);
  }

  /** What the kernel counted last, with the names of this look; undefined where it counted nothing that has to be named. */
  seen(reading: SocketReading, nowMs: number): SocketReading | undefined {
    const entry = this.#entries.get(reading.place);
    if (entry === undefined) return undefined;
    Object.assign(entry, { seen: reading, seenOf: entry.counted, seenMs: nowMs, isSought: false });
    return named(entry);
  }

  /** All others are counted no more. */
  keepOnly(places: { has(place: Place): boolean }): void {
    for (const place of this.#entries.keys()) if (!places.has(place)) this.#entries.delete(place);
  }
}

function unseen(counted: SocketReading): Entry {
  return { counted, seen: undefined, seenOf: undefined, seenMs: -Infinity, isSought: false };
}

function hasWorst({ byTimeout }: SocketReading): boolean {
  return Object.values(byTimeout).some(({ worst }) => worst.length > 0);
}

/** Whichever peer is told of a group: the kernel tells them in no order. */
function sizesOf({ byTimeout }: SocketReading): unknown {
  return Object.entries(byTimeout).map(([seconds, { worst }]) => ({
    seconds,
    groups: worst.map(({ exposure, count }) => `${exposure} ${count}`),
  }));
}

function named({ counted, seen }: Entry): SocketReading {
  if (seen === undefined) return counted;
  const byTimeout = Object.entries(counted.byTimeout).map(([seconds, counts]) => [
    seconds,
    withNames(counts, seen.byTimeout[Number(seconds)]?.worst ?? []),
  ]);
  return { ...counted, byTimeout: Object.fromEntries(byTimeout) as SocketReading['byTimeout'] };
}

function withNames(counts: ConnectionCounts, seen: readonly ExposedGroup[]): ConnectionCounts {
  const worst = counts.worst
    .flatMap((group) => split(group, seen))
    .sort((a, b) => b.count - a.count)
    .slice(0, namedGroups);
  return { ...counts, worst };
}

/** As many as the kernel counted; those that nobody found stay without a name. */
function split(group: ExposedGroup, seen: readonly ExposedGroup[]): ExposedGroup[] {
  let left = group.count;
  const found = seen.flatMap((one) => {
    const count = one.exposure === group.exposure ? Math.min(one.count, left) : 0;
    left -= count;
    return count === 0 ? [] : [{ ...one, count }];
  });
  return left === 0 ? found : [...found, { ...group, count: left }];
}
