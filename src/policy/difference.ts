import { isDeepStrictEqual } from 'node:util';

/**
 * What a field of an admission object says that nobody set, as the API server fills it in or leaves it out. A field
 * that is neither here nor in what is wanted is one that this version does not know: a newer API server's own.
 */
const unset: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['namespaceSelector', {}],
  ['objectSelector', {}],
  ['selector', {}],
  ['matchLabels', {}],
  ['matchExpressions', []],
  ['matchResources', {}],
  ['matchConditions', []],
  ['variables', []],
  ['resourceRules', []],
  ['excludeResourceRules', []],
  ['resourceNames', []],
  ['values', []],
  ['matchPolicy', 'Equivalent'],
  ['scope', '*'],
  ['name', undefined],
  ['namespace', undefined],
  ['paramRef', undefined],
]);

type Fields = Readonly<Record<string, unknown>>;

/**
 * Where what is there does not say what is wanted: `spec.matchConditions[0].expression`; undefined where it does.
 * Fields that nobody set and fields that this version does not know make no difference.
 */
export function firstDifference(present: unknown, wanted: unknown, path: string): string | undefined {
  if (Array.isArray(wanted)) return inList(present, wanted, path);
  if (isFields(wanted)) return isFields(present) ? inFields(present, wanted, path) : path;
  return present === wanted ? undefined : path;
}

function inList(present: unknown, wanted: readonly unknown[], path: string): string | undefined {
  if (!Array.isArray(present) || present.length !== wanted.length) return path;
  return firstOf(wanted.entries(), ([index, item]) =>
    firstDifference(present[index], item, `${path}[${index}]`),
  );
}

function inFields(present: Fields, wanted: Fields, path: string): string | undefined {
  const known = Object.keys(present).filter((key) => unset.has(key));
  return firstOf(new Set([...Object.keys(wanted), ...known]), (key) => {
    const there = present[key] ?? unset.get(key);
    const here = wanted[key] ?? unset.get(key);
    // Its keys are somebody's labels and no fields of ours.
    if (key === 'matchLabels') return isDeepStrictEqual(there, here) ? undefined : `${path}.${key}`;
    return firstDifference(there, here, `${path}.${key}`);
  });
}

function firstOf<T>(items: Iterable<T>, difference: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = difference(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
