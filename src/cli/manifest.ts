import type { Node } from 'yaml';
import { isMap, isNode, isScalar, isSeq } from 'yaml';

import { GROUP, plurals } from '../api/group.ts';
import type { Path } from '../api/schema-node.ts';
import { isObject, textOf } from '../api/schema-node.ts';
import type { Source } from './input.ts';
import { slipIn } from './kubectl-text.ts';
import type { YamlText } from './yaml-text.ts';
import { parseYaml, plainOf } from './yaml-text.ts';

/** Counted from one, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One object of an input, with the places of its fields. */
export interface Manifest {
  readonly source: Source;
  /** What its aliases are resolved in. */
  readonly document: YamlText['documents'][number];
  readonly node: Node;
  /** As the API server would get it: plain JSON. */
  readonly object: Readonly<Record<string, unknown>>;
  /** Empty where it should have one and has none. */
  readonly kind: string;
  readonly apiVersion: string;
  /** Empty where it has none. */
  readonly name: string;
  /** As written; empty where it is not. */
  readonly namespace: string;
  readonly lines: YamlText['lines'];
}

/** Why a text, or a document of it, is no manifest. */
export interface Unreadable {
  readonly source: Source;
  readonly place: Place;
  readonly message: string;
  /** Of a chart in a folder: no manifest yet. */
  readonly isTemplate: boolean;
}

export interface Manifests {
  readonly documents: YamlText['documents'];
  readonly manifests: readonly Manifest[];
  readonly unreadable: readonly Unreadable[];
}

const read = new WeakMap<Source, Manifests>();

/** What is in a text, which is read once: that takes a millisecond. */
export function manifestsOf(source: Source): Manifests {
  const manifests = read.get(source) ?? readManifests(source);
  read.set(source, manifests);
  return manifests;
}

function readManifests(source: Source): Manifests {
  const { brokenLine: line } = source;
  if (line !== undefined) {
    const message = `line ${line} is not UTF-8: save it as UTF-8`;
    return {
      documents: [],
      manifests: [],
      unreadable: [{ source, place: { line, column: 1 }, message, isTemplate: false }],
    };
  }
  const { documents, lines } = parseYaml(source.text);
  const slip = slipIn(source.text);
  const withSlip = Math.max(
    0,
    documents.findLastIndex(({ range: [start] }) => start <= (slip?.offset ?? 0)),
  );
  const manifests: Manifest[] = [];
  const unreadable: Unreadable[] = [];
  for (const [at, document] of documents.entries()) {
    const { object, problem = at === withSlip ? slip : undefined } = plainOf(document);
    if (problem !== undefined) {
      const { offset, message } = problem;
      // Where it is no YAML its own range ends too early.
      const text = source.text.slice(document.range[0], documents[at + 1]?.range[0]);
      const isTemplate = source.found && text.includes('{{');
      unreadable.push({ source, place: placeAt(lines, offset), message: firstLine(message), isTemplate });
    } else if (document.contents !== null)
      manifests.push(...objectsIn(document.contents, object, { source, document, lines }));
  }
  return { documents, manifests, unreadable };
}

/** Some document of it is passed over: what of the others is meant for a cluster, whoever renders the chart decides. */
export function isPassedOver(source: Source): boolean {
  return manifestsOf(source).unreadable.some(({ isTemplate }) => isTemplate);
}

export const templateAdvice =
  'passed over: it is a template; render it first, as in `helm template . | keepalive check -f -`';

/** Without the word there is none. */
export function mayHoldManifests({ text }: Source): boolean {
  return text.includes('apiVersion');
}

type Where = Pick<Manifest, 'source' | 'document' | 'lines'>;

/** The object itself, or those of a List. */
function objectsIn(node: Node, object: unknown, where: Where): Manifest[] {
  if (!isObject(object)) return [];
  const { items } = object;
  const [kind, apiVersion] = [textOf(object.kind), textOf(object.apiVersion)];
  if (kind.endsWith('List') && Array.isArray(items)) {
    // As kubectl has it (k8s.io/apimachinery, unstructured/helpers.go, decodeToList): a PodList holds Pods that do not say so.
    const type = { apiVersion, kind: kind.slice(0, -'List'.length) };
    return items.flatMap((item: unknown, at) => {
      const below = nodeAt(node, ['items', at]);
      const isTyped = isObject(item) && textOf(item.kind) === '' && textOf(item.apiVersion) === '';
      return below === undefined ? [] : objectsIn(below, isTyped ? { ...item, ...type } : item, where);
    });
  }
  if ((kind === '' || apiVersion === '') && !isOurs({ kind, apiVersion })) return [];
  const { name, namespace } = isObject(object.metadata) ? object.metadata : {};
  return [{ ...where, node, object, kind, apiVersion, name: textOf(name), namespace: textOf(namespace) }];
}

/** Also where it says only half of it, or the group is spelled wrong: nobody else has kinds of these names. */
export function isOurs({ kind, apiVersion }: Pick<Manifest, 'kind' | 'apiVersion'>): boolean {
  return apiVersion.split('/')[0] === GROUP || Object.hasOwn(plurals, kind);
}

/** The node at a path; `undefined` where there is none, and where it lies behind an alias. */
export function nodeAt(node: Node, path: Path): Node | undefined {
  let current: unknown = node;
  for (const step of path) {
    if (!isMap(current) && !isSeq(current)) return undefined;
    current = current.get(step, true);
  }
  return isNode(current) ? current : undefined;
}

/** Where a field is; of one that is not there, where it would be. A key stands for its value. */
export function placeOf({ node, lines }: Manifest, path: Path): Place {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = nodeAt(node, path.slice(0, length - 1));
    const step = path[length - 1];
    const key = isMap(parent)
      ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === step)?.key
      : undefined;
    const found = isNode(key) ? key : nodeAt(node, path.slice(0, length));
    if (found?.range) return placeAt(lines, found.range[0]);
  }
  return placeAt(lines, node.range?.[0] ?? 0);
}

function placeAt(lines: YamlText['lines'], offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
