import type { Place } from '../policy/place.ts';
import type { Reading } from '../policy/reading.ts';
import { sysctlNames } from '../policy/sysctl.ts';

/** A place whose values did not go back, of which something is remembered on. */
export interface LeftPlace {
  readonly place: Place;
  /** For a person. */
  readonly reason: string;
}

export function leftPlace(place: Place, reading: Reading | undefined): LeftPlace {
  return { place, reason: reading === undefined ? noProcess : reasonOf(reading) };
}

const noProcess = 'no process of it runs at this moment';

function reasonOf({ state, faults, reason = 'not known' }: Reading): string {
  if (faults.length > 0) return faults.map(({ key, code }) => `${sysctlNames[key]}: ${code}`).join(', ');
  if (state === 'absent') return noProcess;
  if (state === 'contested') return `it leads to the same processes as ${reason}`;
  return `its network cannot be entered: ${reason}`;
}
