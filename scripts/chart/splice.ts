import type { Pair, YAMLMap, YAMLSeq } from 'yaml';
import { isMap, isNode, isPair, isScalar, isSeq, Scalar, visit } from 'yaml';

import type { BaseDocument } from './base.ts';

export type NodePath = readonly (string | number)[];
/** Lines of a template, given how many spaces stand before them. */
type Lines = (indent: number) => readonly string[];

/**
 * A manifest that becomes a template: what is set at a path, or put beside it, stands there as a mark until the rest has
 * been written as YAML, so that every other line stays what it was, comments included.
 */
export class Spliced {
  readonly #document: BaseDocument;
  readonly #inline: string[] = [];
  readonly #lines: Lines[] = [];
  #condition: string | undefined;

  constructor(document: BaseDocument) {
    this.#document = document.clone() as BaseDocument;
  }

  /** What stands there, as plain values. */
  plain(path: NodePath): unknown {
    const node = this.#document.getIn(path, true);
    return isNode(node) ? node.toJSON() : undefined;
  }

  /** A scalar, by a template that makes its text, quotes included. */
  scalar(path: NodePath, template: string): void {
    const node = this.#document.getIn(path, true);
    if (!isScalar(node)) throw new Error(`the manifests have no text or number at ${path.join('.')}`);
    this.#fill(node, template);
  }

  /** A field as values say, or as is made of them; it goes where they say nothing. It need not be there. */
  field(path: NodePath, values: string, { isText = false, made = 'toYaml .' } = {}): void {
    const key = String(path.at(-1));
    const lines: Lines = (indent) => [
      `{{- with .Values.${values} }}`,
      ...(isText ? [`${key}: {{ . | quote }}`] : [`${key}:`, `  {{- ${made} | nindent ${indent + 2} }}`]),
      '{{- end }}',
    ];
    const map = this.#mapAt(path.slice(0, -1));
    const at = indexOf(map, key);
    const marked = this.#markedPair(lines);
    if (at < 0) map.items.push(marked);
    else map.items.splice(at, 1, marked);
  }

  /** Lines at the end of a map, or of a list as its last items. */
  append(path: NodePath, lines: Lines): void {
    const node = this.#collectionAt(path);
    if (isMap(node)) node.items.push(this.#markedPair(lines));
    else node.items.push(new Scalar(this.#lineMark(lines)));
  }

  /** A field, or an item of a list, only where the condition holds. */
  when(path: NodePath, condition: string): void {
    this.#here(path);
    const last = path.at(-1);
    const parent = this.#collectionAt(path.slice(0, -1));
    const open: Lines = () => [`{{- if ${condition} }}`];
    const close: Lines = () => ['{{- end }}'];
    if (isMap(parent)) {
      const at = indexOf(parent, String(last));
      if (at === 0) throw new Error(`${path.join('.')} is a first field: a condition cannot stand before it`);
      parent.items.splice(at, 1, this.#markedPair(open), parent.items[at] as Pair, this.#markedPair(close));
    } else {
      const at = Number(last);
      const marks = [open, close].map((lines) => new Scalar(this.#lineMark(lines)));
      parent.items.splice(at, 1, marks[0], parent.items[at], marks[1]);
    }
  }

  /** The whole object, only where the condition holds. */
  onlyWhen(condition: string): void {
    this.#condition = condition;
  }

  /** Each text that holds `text`, with what a template makes in its place. A text that is nothing else stays one, whatever it looks like. */
  replaceEverywhere(text: string, template: string): void {
    visit(this.#document, {
      Scalar: (key, node) => {
        if (key === 'key' || typeof node.value !== 'string' || !node.value.includes(text)) return;
        if (node.value === text) this.#fill(node, `{{ ${template} | quote }}`);
        else node.value = node.value.replaceAll(text, this.#mark(`{{ ${template} }}`));
      },
    });
  }

  /** Each field of that name and value, with the text that a template makes in its place. */
  replaceFields(name: string, value: string, template: string): void {
    visit(this.#document, {
      Pair: (_, pair) => {
        if (!isScalar(pair.key) || pair.key.value !== name) return;
        if (isScalar(pair.value) && pair.value.value === value)
          this.#fill(pair.value, `{{ ${template} | quote }}`);
      },
    });
  }

  toString(): string {
    const text = this.#document
      .toString({ lineWidth: 0, flowCollectionPadding: false })
      .replace(/^---\n/, '');
    // What looks like a template in the manifests is none.
    const escaped = text.replaceAll('{{', '{{ "{{" }}');
    const spliced = escaped
      .replaceAll(/^( *)(?:- )?LINES(\d+)X(?:: null)?$/gm, (_, spaces: string, at: string) =>
        (this.#lines[Number(at)]?.(spaces.length) ?? []).map((line) => spaces + line).join('\n'),
      )
      .replaceAll(/SPLICE(\d+)X/g, (_, at: string) => this.#inline[Number(at)] ?? '');
    const body = `---\n${spliced}`;
    return this.#condition === undefined ? body : `{{- if ${this.#condition} }}\n${body}{{- end }}\n`;
  }

  #fill(node: Scalar, template: string): void {
    node.value = this.#mark(template);
    node.type = Scalar.PLAIN;
  }

  #mark(template: string): string {
    return `SPLICE${this.#inline.push(template) - 1}X`;
  }

  #lineMark(lines: Lines): string {
    return `LINES${this.#lines.push(lines) - 1}X`;
  }

  #markedPair(lines: Lines): Pair {
    return this.#document.createPair(this.#lineMark(lines), null);
  }

  #here(path: NodePath): void {
    if (!this.#document.hasIn(path)) throw new Error(`the manifests have nothing at ${path.join('.')}`);
  }

  #mapAt(path: NodePath): YAMLMap {
    const node = this.#collectionAt(path);
    if (!isMap(node)) throw new Error(`the manifests have no map at ${path.join('.')}`);
    return node;
  }

  /** In block style from here up: a mark needs a line of its own. */
  #collectionAt(path: NodePath): YAMLMap | YAMLSeq {
    for (const end of path.keys()) unfold(this.#document.getIn(path.slice(0, end + 1), true));
    const node = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    if (!isMap(node) && !isSeq(node))
      throw new Error(`the manifests have no map or list at ${path.join('.')}`);
    return node;
  }
}

function unfold(node: unknown): void {
  if (isMap(node) || isSeq(node)) node.flow = false;
}

function indexOf(map: YAMLMap, key: string): number {
  return map.items.findIndex((pair) => isPair(pair) && isScalar(pair.key) && pair.key.value === key);
}
