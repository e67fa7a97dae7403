import type { Document, Node, Pair, ScalarTag, YAMLMap } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, Scalar } from 'yaml';
import type { ToJSContext } from 'yaml/util';

/**
 * As kubectl follows them: go-yaml 2 (decode.go, `mapping` and `merge`) takes pairs in the order in which they stand, so that a merge
 * overrides whatever stands above it, where YAML itself lets a key of the map win, and the first of two merges.
 */
export const mergeKey: ScalarTag = {
  identify: (value) => typeof value === 'symbol',
  default: 'key',
  tag: 'tag:yaml.org,2002:merge',
  test: /^<<$/,
  resolve: () => Object.assign(new Scalar(Symbol('<<')), { addToJSMap }),
  stringify: () => '<<',
};

type AddToJs = NonNullable<Node['addToJSMap']>;

function addToJSMap(...[ctx, map, value]: Parameters<AddToJs>): void {
  for (const source of sourcesOf(value, ctx?.doc, ctx)) {
    if (!isMap(source)) throw new Error('Merge sources must be maps or map aliases');
    for (const [key, one] of source.toJSON(null, ctx, Map<unknown, unknown>))
      if (map instanceof Map) map.set(key, one);
      else
        Object.defineProperty(map, String(key), {
          value: one,
          writable: true,
          enumerable: true,
          configurable: true,
        });
  }
}

/** The last one wins: of a list of merges that is its first. */
function sourcesOf(value: unknown, document: Document | undefined, ctx?: ToJSContext): unknown[] {
  const resolved = (one: unknown) =>
    isAlias(one) && document !== undefined ? one.resolve(document, ctx) : one;
  const source = resolved(value);
  return isSeq(source) ? source.items.map(resolved).reverse() : [source];
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

export function lastMergeOf(map: YAMLMap): Pair | undefined {
  return map.items.findLast(isMerge);
}

/** Whether a merge brings the field, and the map has none behind it, so that parsers agree on. */
export function isMerged(map: YAMLMap, name: string, document: Document): boolean {
  const last = map.items.findLastIndex((pair) => isMerge(pair) && brings(pair, name, document));
  return last > map.items.findIndex(({ key }) => isScalar(key) && key.value === name);
}

function brings({ value }: Pair, name: string, document: Document): boolean {
  return sourcesOf(value, document).some(
    (source) =>
      isMap(source) &&
      (source.has(name) || source.items.some((pair) => isMerge(pair) && brings(pair, name, document))),
  );
}
