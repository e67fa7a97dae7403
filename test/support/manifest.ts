import { isDeepStrictEqual } from 'node:util';

import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Objects as kubectl reads them from its standard input: JSON is YAML. */
export function documentsOf(objects: readonly unknown[]): string {
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null);
}

/** `DaemonSet keepalive-agent/keepalive-agent`: what no two objects of an installation share. */
export function titleOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

/** By title. Throws where two have the same. */
export function byTitle(objects: readonly Manifest[]): Record<string, Manifest> {
  const titles = objects.map(titleOf);
  const twice = titles.find((title, at) => titles.indexOf(title) !== at);
  if (twice !== undefined) throw new Error(`${twice} is there twice`);
  return Object.fromEntries(objects.map((object) => [titleOf(object), object]));
}

/** Where two differ, as `spec.containers.0.env.2` → [before, after]; `undefined` is nothing. */
export function changes(
  before: unknown,
  after: unknown,
  path = '',
): Record<string, readonly [unknown, unknown]> {
  if (isDeepStrictEqual(before, after)) return {};
  if (!isNested(before) || !isNested(after)) return { [path]: [before, after] };
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const found = [...keys].map((key) =>
    changes(before[key], after[key], path === '' ? key : `${path}.${key}`),
  );
  return Object.assign({}, ...found) as Record<string, readonly [unknown, unknown]>;
}

function isNested(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
