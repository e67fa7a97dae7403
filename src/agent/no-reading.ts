import { someOf } from '../policy/finding.ts';
import type { Place } from '../policy/place.ts';
import type { Reading } from '../policy/reading.ts';
import { ledgerFault } from '../policy/reading.ts';
import { LedgerError } from './ledger.ts';

/** Of a place whose values were not read. */
export function nothing(place: Place, state: 'absent' | 'failed' | 'contested'): Reading {
  return { place, state, now: {}, found: {}, faults: [], repaired: 0, putRight: false, wrote: {} };
}

export function failed(place: Place, reason: string): Reading {
  return { ...nothing(place, 'failed'), reason };
}

export function contested(place: Place, by: readonly string[]): Reading {
  return {
    ...nothing(place, 'contested'),
    reason: by.length === 0 ? 'a pod that is not in the API' : someOf(by, 1),
  };
}

/** An error's code where it has one, and the words where it is of the ledger. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  return error instanceof LedgerError ? `${ledgerFault}${error.message}` : (error.code ?? error.message);
}
