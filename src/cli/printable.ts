import { oneLine } from '../policy/words.ts';

/**
 * The same with every text in it fit for a line of a terminal: what somebody wrote into an object or a file neither moves a
 * cursor there nor passes for a line of the tool's own. JSON needs none of it: it has its escapes.
 */
export function printable<T>(value: T): T {
  return cleaned(value) as T;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return oneLine(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cleaned(one)]));
}
