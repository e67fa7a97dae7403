/** What a kernel would say on a node where values are held: most pods as asked, a few not, and connections that come and go. */
import { kernelDefaults } from '../../src/api/triple.ts';
import type { ConnectionCounts, SocketReading } from '../../src/policy/connection.ts';
import type { Place } from '../../src/policy/place.ts';
import { HOST } from '../../src/policy/place.ts';
import type { Reading } from '../../src/policy/reading.ts';
import { valuesFor } from '../../src/policy/requirement.ts';
import type { NodeSelections, Selection } from '../../src/policy/selection.ts';
import { socketTargets } from '../../src/policy/socket-target.ts';

/** One pod in so many has no network namespace that could be found. */
const absentOf = 40;

function numberOf(place: Place): number {
  let hash = 7;
  for (const letter of place) hash = (hash * 31 + letter.charCodeAt(0)) % 1_000_003;
  return hash;
}

export function readingsOf({ pods, host }: NodeSelections): Map<Place, Reading> {
  const all = [
    reading(HOST, host),
    ...pods.filter(({ pod }) => !pod.hostNetwork).map((selection) => reading(selection.pod.place, selection)),
  ];
  return new Map(all.map((one) => [one.place, one]));
}

function reading(place: Place, { wanted }: Selection): Reading {
  const isAbsent = place !== HOST && numberOf(place) % absentOf === 0;
  return {
    ...{
      place,
      state: isAbsent ? 'absent' : 'read',
      found: {},
      faults: [],
      repaired: 0,
      putRight: false,
      wrote: {},
    },
    now: wanted.asked === undefined ? kernelDefaults : valuesFor(wanted.asked),
  };
}

/** Of the n-th count; with each the numbers are others. */
export function socketsOf(selections: NodeSelections, count: number): Map<Place, SocketReading> {
  return new Map(
    socketTargets(selections).map(({ place, timeouts }) => {
      const counts = connectionsOf(numberOf(place), count);
      const byTimeout = Object.fromEntries(timeouts.map((seconds) => [seconds, counts]));
      return [place, { place, byTimeout, repaired: 0, failures: {}, leftOut: {} }];
    }),
  );
}

function connectionsOf(number: number, count: number): ConnectionCounts {
  const established = 3 + ((number + count * 7) % 11);
  const exposed = number % 97 === 0 ? 1 : 0;
  const peer = {
    program: 'program',
    exposure: 'KeepaliveOff',
    peer: '192.0.2.1:443',
    count: exposed,
  } as const;
  return {
    ...{ established, exposed, protected: established - exposed, unknown: 0 },
    worst: exposed === 0 ? [] : [peer],
  };
}
