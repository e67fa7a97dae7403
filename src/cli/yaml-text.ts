import type { Document, Node, Tags } from 'yaml';
import {
  Composer,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  LineCounter,
  parseAllDocuments,
  Parser,
  Schema,
  stringify,
} from 'yaml';

import { mergeKey } from './merge-key.ts';

/** A text of several documents with the places of all that is in it. */
export interface YamlText {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

/**
 * As kubectl reads it (sigs.k8s.io/yaml over go-yaml 2): YAML 1.1 with its yes and no, of which y and n are one too, octal numbers and
 * merge keys, but without its dates and its numbers to the base of sixty.
 */
function tags(of: Tags): Tags {
  const isOther = (tag: Tags[number]) =>
    typeof tag === 'object' &&
    (/:(timestamp|merge)$/.test(tag.tag) || ('format' in tag && tag.format === 'TIME'));
  return [...of.filter((tag) => !isOther(tag)), mergeKey];
}

/** One for all: to make it takes as long as to read a small manifest. */
const schema = new Schema({ schema: 'yaml-1.1', customTags: tags, resolveKnownTags: false });

const options = { version: '1.1', schema, prettyErrors: false, logLevel: 'silent' } as const;

export function parseYaml(text: string): YamlText {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...options, lineCounter: lines });
  const documents = Array.isArray(parsed) ? parsed : [];
  const isFine = documents.every(({ errors }) => errors.length === 0);
  return { documents: isFine ? documents : (jsonDocuments(text) ?? documents), lines };
}

/** One JSON after the other, as `jq -c` writes them and kubectl takes them. */
function jsonDocuments(text: string): Document.Parsed[] | undefined {
  return jsonIn(text)?.flatMap(({ start, text: one }) => {
    const parser = new Parser();
    parser.offset = start;
    return [...(new Composer(options).compose(parser.parse(one)) as Iterable<Document.Parsed>)];
  });
}

/** Where a text is nothing but JSON, each of them. */
export function jsonIn(text: string): { readonly start: number; readonly text: string }[] | undefined {
  const starts = startsOfJson(text);
  const parts = starts.map((start, at) => ({ start, text: text.slice(start, starts[at + 1]) }));
  return parts.length > 0 && parts.every((part) => isJson(part.text)) ? parts : undefined;
}

function startsOfJson(text: string): number[] {
  const starts: number[] = [];
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (mark === '{' && depth === 0) starts.push(index);
    depth += mark === '{' ? 1 : mark === '}' ? -1 : 0;
  }
  return text.slice(0, starts[0]).trim() === '' ? starts : [];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface PlainDocument {
  readonly object?: unknown;
  /** Why it cannot be read, and where, in characters from the start of the text. */
  readonly problem?: { readonly offset: number; readonly message: string };
}

/** Of one anchor with all within it: many templates may share one, and aliases of aliases still come to an end. */
const maxAliasCount = 10_000;

/** As plain JSON. Only then some of what is wrong shows: an alias of nothing, a merge of what is no map. */
export function plainOf(document: Document.Parsed): PlainDocument {
  const [error] = document.errors;
  if (error !== undefined) return { problem: { offset: error.pos[0], message: error.message } };
  const offset = document.contents?.range[0] ?? 0;
  const key = wrongKey(document.contents, document);
  if (key !== undefined)
    return {
      problem: { offset: key.range?.[0] ?? offset, message: 'invalid map key: it is a map or a list' },
    };
  try {
    let hasAnchors = false;
    const object: unknown = document.toJS({ maxAliasCount, onAnchor: () => (hasAnchors = true) });
    return hasAnchors && containsItself(object)
      ? { problem: { offset, message: 'an anchor contains itself' } }
      : { object };
  } catch (thrown) {
    return { problem: { offset, message: (thrown as Error).message } };
  }
}

/** JSON has none, so kubectl takes none. A chart's template has them: in `{{ .Values.x }}` a map is the key of a map. */
function wrongKey(node: unknown, document: Document.Parsed): Node | undefined {
  if (!isCollection(node)) return undefined;
  for (const item of node.items) {
    const key = isMap(node) && isPair(item) ? item.key : undefined;
    if (isNode(key) && isCollection(isAlias(key) ? key.resolve(document) : key)) return key;
    const below = wrongKey(isPair(item) ? item.value : item, document);
    if (below !== undefined) return below;
  }
  return undefined;
}

function containsItself(object: unknown): boolean {
  try {
    JSON.stringify(object);
    return false;
  } catch {
    return true;
  }
}

export function yamlOf(value: unknown): string {
  return stringify(value, { lineWidth: 0, version: '1.1' });
}
