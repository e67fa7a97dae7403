import * as z from 'zod';

import type { Place, PodPlace } from '../policy/place.ts';
import { HOST } from '../policy/place.ts';
import type { Memory } from '../policy/tighten.ts';

/** What is remembered of one network namespace whose values we changed. */
export interface LedgerEntry {
  readonly place: Place;
  /** The pod's control group: what leads to it before the API server can be asked. Undefined for the host. */
  readonly group?: string | undefined;
  /** Of the very namespace: a pod whose sandbox was made anew has another, with values of its own. */
  readonly namespace: string;
  readonly memory: Memory;
  /** How often a value was put right after somebody else had made it looser. */
  readonly repaired: number;
}

/** A line that takes an entry back. */
export interface Removal {
  readonly place: Place;
  readonly gone: true;
}

/** What somebody has set is whatever the kernel takes; none of the three is larger than an int. */
const found = z.int32();
/** Two where its writer was ended between noting and writing. */
const ours = z.array(z.int32().min(1)).min(1).max(2);
const keyMemory = z.strictObject({ found, ours });
const memory = z.strictObject({
  timeSeconds: keyMemory.optional(),
  intervalSeconds: keyMemory.optional(),
  probes: keyMemory.optional(),
});
const uid = z.string().regex(/^[0-9a-f-]{1,64}$/);
const podPlace = z
  .string()
  .regex(/^pod\/[0-9a-z-]{1,64}$/)
  .transform((text) => text as PodPlace);
const what = {
  namespace: z.string().regex(/^(cookie|inode) \d{1,20}$/),
  memory,
  repaired: z.number().int().min(0),
};
const line = z.union([
  z.strictObject({ place: z.literal(HOST), ...what }),
  z.strictObject({ place: podPlace, group: uid, ...what }),
  z.strictObject({ place: z.union([z.literal(HOST), podPlace]), gone: z.literal(true) }),
]);

/** Undefined for a line that no version of today's writes: one that was torn, is older, or that somebody made up. */
export function parseLine(text: string): LedgerEntry | Removal | undefined {
  try {
    return line.parse(JSON.parse(text)) as LedgerEntry | Removal;
  } catch {
    return undefined;
  }
}
