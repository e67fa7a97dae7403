import type { ToldConnection } from './connection-layout.ts';
import { fewestInFullRead } from './connection-layout.ts';
import { NumberSet } from './number-set.ts';

/** Each finds what the one before missed, which is less and less; where it is not by then, it never will be. */
const mostPasses = 6;

/** So many are told apart, for 16 to 32 bytes each, and half as much again for a moment: an agent has 256 MiB for everything. */
export const mostToldApart = 2_000_000;

/**
 * Every connection that was open from beginning to end, once, in steps. Between two reads the kernel knows only how far it has come, in
 * numbers of a list that others make longer and shorter: whoever closes many connections meanwhile has it pass over some of
 * somebody else's, and whoever opens some has it tell others twice. So it is gone through until nothing is found that
 * was there when the first pass began; one read alone misses nothing. Throws where they come and go so fast that there is no end of it.
 * `met`: empty, and for nothing else meanwhile. Where there are more than can be told apart, the rest is told as one pass finds it: some twice, perhaps, and some not.
 */
export function* eachOnce(
  readAll: () => Iterable<readonly ToldConnection[]>,
  { most = mostToldApart, met = new NumberSet() }: { readonly most?: number; readonly met?: NumberSet } = {},
): Generator<ToldConnection[], void> {
  const beganMs = Number(process.hrtime.bigint()) / 1e6;
  for (let pass = 0; pass < mostPasses; pass += 1) {
    let [told, found] = [0, 0];
    for (const step of readAll()) {
      const unmet = step.filter(({ socket, metMs }) => !met.has(socket) && (pass === 0 || metMs <= beganMs));
      remember(met, unmet, most);
      told += step.length;
      found += unmet.length;
      yield unmet;
    }
    if (told < fewestInFullRead || found === 0 || met.size >= most) return;
  }
  throw new Error(`connections come and go faster than they are counted, in ${mostPasses} passes`);
}

function remember(met: NumberSet, told: readonly ToldConnection[], most: number): void {
  for (const { socket } of told) if (met.size < most) met.add(socket);
}
