import type { OwedSweeps, ServedTarget } from '../../../../src/agent/connections/owed-sweeps.ts';
import type { HOST, Place } from '../../../../src/policy/place.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';
import { behind } from '../../../support/builder.ts';

export const one = placeOfPod('one');
export const other = placeOfPod('other');
/** Of the network with this cookie. */
export const served = (
  place: typeof one | typeof HOST,
  seconds: number | undefined,
  cookie = 1n,
): ServedTarget => ({
  target: { place, wanted: seconds === undefined ? undefined : behind(seconds), timeouts: [seconds ?? 90] },
  network: { cookie, pid: 1 },
});

/** Sweeps whatever is due; its cookies. */
export function sweep(owed: OwedSweeps, nowMs: number, cpuMs = 0): bigint[] {
  const cookies = owed.begin(nowMs).map(({ cookie }) => cookie);
  for (const cookie of cookies) owed.swept(cookie, cpuMs, nowMs);
  return cookies;
}

/** The cookies of those that are swept while these places are seen to be loosened every half second. */
export function loosening(
  owed: OwedSweeps,
  places: readonly Place[],
  { untilMs, cpuMs }: { readonly untilMs: number; readonly cpuMs: number },
): bigint[] {
  const swept: bigint[] = [];
  for (let ms = 0; ms < untilMs; ms += 500) {
    for (const place of places) owed.loosened(place, ms);
    swept.push(...sweep(owed, ms, cpuMs));
  }
  return swept;
}
