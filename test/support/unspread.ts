import type { Triple } from '../../src/api/triple.ts';
import type { Requirement } from '../../src/policy/requirement.ts';
import { valuesFor } from '../../src/policy/requirement.ts';
import { sharesOf, spread } from '../../src/policy/spread.ts';
import { behind } from './builder.ts';

/** What all were given of which a socket has its own share by chance, or what it has where that is no share of it. */
export function unspread<Has extends Triple>(has: Has, given: Triple, requirement: Requirement): Has {
  const chance = (key: 'timeSeconds' | 'intervalSeconds') => chanceOf(given[key], requirement[key], has[key]);
  const share = spread(given, requirement, [chance('timeSeconds'), chance('intervalSeconds')]);
  const isShare = Object.entries(share).every(([key, value]) => has[key as keyof Triple] === value);
  return isShare ? { ...has, ...given } : has;
}

const usual = behind(90);

/** The same behind 90 s. */
export function unspreadOfUsual<Has extends Triple>(has: Has): Has {
  return unspread(has, valuesFor(usual), usual);
}

/** By which one becomes what it is, or what is nearest to it. */
function chanceOf(given: number, ours: number, has: number): number {
  const shares = sharesOf(given, ours);
  return Math.min(Math.max(0, given - has + 0.5), shares - 0.5) / shares;
}
