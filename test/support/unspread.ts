import type { Triple } from '../../src/api/triple.ts';
import type { Requirement } from '../../src/policy/requirement.ts';
import { valuesFor } from '../../src/policy/requirement.ts';
import { leastInterval, leastTime, sharesOf, spread } from '../../src/policy/spread.ts';
import { behind } from './builder.ts';

/** What all were given of which a socket has its own share by chance, or what it has where that is no share of it. */
export function unspread<Has extends Triple>(has: Has, given: Triple, requirement: Requirement): Has {
  const ofTime = chanceOf(given.timeSeconds, leastTime(requirement), has.timeSeconds);
  const least = leastInterval(has.timeSeconds, given.probes, requirement);
  const ofInterval = chanceOf(given.intervalSeconds, least, has.intervalSeconds);
  const share = spread(given, requirement, [ofTime, ofInterval]);
  const isShare = Object.entries(share).every(([key, value]) => has[key as keyof Triple] === value);
  return isShare ? { ...has, ...given } : has;
}

const usual = behind(90);

/** The same behind 90 s. */
export function unspreadOfUsual<Has extends Triple>(has: Has): Has {
  return unspread(has, valuesFor(usual), usual);
}

/** By which one becomes what it is, or what is nearest to it. */
function chanceOf(given: number, least: number, has: number): number {
  const shares = sharesOf(given, least);
  return Math.min(Math.max(0, given - has + 0.5), shares - 0.5) / shares;
}
