import { isDeepStrictEqual } from 'node:util';

import { isMap } from 'yaml';

import type { Path } from '../api/schema-node.ts';
import type { Sysctl } from '../policy/sysctl.ts';
import type { Source } from './input.ts';
import { manifestsOf, nodeAt } from './manifest.ts';
import type { Edit } from './splice.ts';
import { applyEdits } from './splice.ts';
import type { Workload } from './workload.ts';
import type { YamlText } from './yaml-text.ts';
import { parseYaml, plainOf } from './yaml-text.ts';

/** What is to become of one template, and the edits that are to do it. */
interface Change {
  readonly one: { readonly workload: Workload; readonly after: readonly Sysctl[] };
  readonly edits: readonly Edit[];
}

/** A part of a text, and what was in it before. */
interface Stretch {
  readonly text: string;
  /** In characters from the start of the whole text, which the places of nodes and of edits are counted from. */
  readonly start: number;
  readonly documents: YamlText['documents'];
}

/**
 * The changes by which a text would not say what was meant and nothing else: another parser's look at our own splices.
 * Of a text that fails each document is read by itself, and of a document that fails each half of its changes: otherwise a long
 * text with one fault would be read as often as it has templates.
 */
export function faultyOf<T extends Change>(source: Source, changes: readonly T[]): readonly T[] {
  const { documents } = manifestsOf(source);
  if (changes.length === 0 || isAsMeant({ text: source.text, start: 0, documents }, changes)) return [];
  const byDocument = Map.groupBy(changes, (one) => documentOf(documents, one));
  return orAll(
    changes,
    [...byDocument].map(([at, some]) => faultyWithin(stretchOf(source.text, documents, at), some)),
  );
}

function faultyWithin<T extends Change>(stretch: Stretch, changes: readonly T[]): readonly T[] {
  if (isAsMeant(stretch, changes)) return [];
  if (changes.length === 1) return changes;
  const half = Math.ceil(changes.length / 2);
  const halves = [changes.slice(0, half), changes.slice(half)];
  return orAll(
    changes,
    halves.map((some) => faultyWithin(stretch, some)),
  );
}

/** Together they may fail by the fault of a few, which are then the ones to name, or each may be right by itself. */
function orAll<T>(changes: readonly T[], faulty: readonly (readonly T[])[]): readonly T[] {
  const few = faulty.flat();
  return few.length === 0 ? changes : few;
}

/** The last one: of JSON after JSON one begins where the one before it ends. */
function documentOf(documents: YamlText['documents'], { one: { workload } }: Change): number {
  const offset = workload.manifest.node.range?.[0] ?? 0;
  return documents.findLastIndex(({ range: [start, , end] }) => offset >= start && offset <= end);
}

/** With the directives before it. */
function stretchOf(text: string, documents: YamlText['documents'], at: number): Stretch {
  const start = documents[at - 1]?.range[2] ?? 0;
  const end = documents[at + 1] === undefined ? text.length : documents[at]?.range[2];
  return { text: text.slice(start, end), start, documents: documents.slice(at, at + 1) };
}

function isAsMeant({ text, start, documents }: Stretch, changes: readonly Change[]): boolean {
  const edits = changes.flatMap((change) => change.edits);
  const placed = edits.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }));
  const now = parseYaml(applyEdits(text, placed)).documents.map(plainOf);
  if (now.some(({ problem }) => problem !== undefined)) return false;
  // Through JSON, or what aliases share would be changed together.
  const expected = documents.map((one) => JSON.parse(JSON.stringify(plainOf(one).object)) as unknown);
  for (const change of changes) {
    const { workload, after } = change.one;
    const found = documentOf(documents, change);
    const target = locate(expected[found], documents[found]?.contents, workload);
    if (target === undefined) return false;
    setSysctls(target, after);
  }
  return isDeepStrictEqual(
    now.map(({ object }) => JSON.parse(JSON.stringify(object)) as unknown),
    expected,
  );
}

type Json = Record<string | number, unknown>;

/** In a document read anew, the template of a workload that was found before, by its place in the text. */
function locate(document: unknown, contents: unknown, { manifest, template }: Workload): Json | undefined {
  const start = manifest.node.range?.[0];
  const walk = (value: unknown, node: unknown): Json | undefined => {
    if (!isMap(node) || typeof value !== 'object' || value === null) return undefined;
    if (node.range?.[0] === start) return value as Json;
    const { items = [] } = value as { items?: unknown[] };
    return items.map((item, at) => walk(item, nodeAt(node, ['items', at]))).find((one) => one !== undefined);
  };
  return at(walk(document, contents), template);
}

function at(value: Json | undefined, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((current, step) => current?.[step] as Json | undefined, value);
}

/** What is there comes first, and keeps fields that are no sysctl's. */
function setSysctls(template: Json, sysctls: readonly Sysctl[]): void {
  const spec = template.spec as { securityContext?: { sysctls?: (object | null)[] | null } | null };
  const before = spec.securityContext?.sysctls ?? [];
  spec.securityContext = {
    ...spec.securityContext,
    sysctls: sysctls.map((one, index) => ({ ...before[index], ...one })),
  };
}
