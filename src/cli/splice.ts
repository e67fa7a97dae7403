import type { Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';

import type { Sysctl } from '../policy/sysctl.ts';
import type { Manifest } from './manifest.ts';
import { isMerged, lastMergeOf } from './merge-key.ts';
import { columnOf, endOf, gapBetween, lastByte, lineEndAfter, startOf } from './node-place.ts';
import type { Style } from './sysctl-text.ts';
import { blockLines, flowItems, flowText, styleOf } from './sysctl-text.ts';

/** A stretch of a text that becomes another; of no length where something is put in. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What is written in a way that cannot be edited without touching something else; the message says what to do. */
export class NotEditable extends Error {}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce(
      (current, { start, end, text: words }) => current.slice(0, start) + words + current.slice(end),
      text,
    );
}

/**
 * The fewest bytes that give the spec of a pod these sysctls: yaml's own writer keeps comments and not spaces, quotes
 * and line ends, so the text is spliced at the places of its nodes. `wanted` starts with the entries that are there.
 */
export function sysctlEdits(
  { text, document }: Pick<Manifest, 'document'> & { readonly text: string },
  parent: YAMLMap,
  wanted: readonly Sysctl[],
): Edit[] {
  const spec = pairOf(parent, 'spec', document);
  const map = editable(spec?.value, 'spec');
  if (spec === undefined || !isMap(map)) throw new NotEditable('its spec is no map');
  const style = styleOf(text, spec);
  const context = pairOf(map, 'securityContext', document);
  if (context === undefined) return [insertion(spec, ['securityContext', 'sysctls'], wanted, style)];
  const contextMap = editable(context.value, 'securityContext');
  if (!isMap(contextMap)) return replacement({ pair: context, map }, ['sysctls'], wanted, style);
  const sysctls = pairOf(contextMap, 'sysctls', document);
  if (sysctls === undefined) return [insertion(context, ['sysctls'], wanted, style)];
  const list = editable(sysctls.value, 'sysctls');
  if (!isSeq(list)) return replacement({ pair: sysctls, map: contextMap }, [], wanted, style);
  const added = wanted.slice(list.items.length);
  return [...changes(text, list, wanted), ...(added.length === 0 ? [] : [addition(list, added, style)])];
}

function pairOf(map: YAMLMap, name: string, document: Manifest['document']): Pair | undefined {
  if (isMerged(map, name, document))
    throw new NotEditable(`its ${name} comes from a merge key (<<): write it out, below that key`);
  return map.items.find(({ key }) => isScalar(key) && key.value === name);
}

function editable(value: unknown, name: string): unknown {
  if (isAlias(value)) throw new NotEditable(`its ${name} is an alias (*${value.source}): write it out`);
  return value;
}

/** As the first field of the map that a key has, but below its merges: parsers differ in which of the two wins above them. */
function insertion(
  { key, value }: Pair,
  keys: readonly string[],
  sysctls: readonly Sysctl[],
  style: Style,
): Edit {
  const map = value as YAMLMap;
  const { text, newline } = style;
  const first = startOf(map.items[0]?.key);
  const merge = lastMergeOf(map)?.value;
  if (map.flow) {
    const open = startOf(map) + 1;
    const words = flowText(keys, sysctls, style);
    if (merge !== undefined) return { start: endOf(merge), end: endOf(merge), text: `, ${words}` };
    if (map.items.length === 0) return { start: open, end: open, text: words };
    return { start: first, end: first, text: `${words},${gapBetween(text, open, first) || ' '}` };
  }
  const lines = blockLines(keys, sysctls, { indent: columnOf(text, first), style });
  if (merge !== undefined) return linesBehind(text, merge, lines, newline);
  // Before comments that belong to what comes after.
  const line = text.indexOf('\n', endOf(key)) + 1;
  return { start: line, end: line, text: lines.map((one) => `${one}${newline}`).join('') };
}

/** Of a key without a value, or with an explicit null; a comment behind it stays on its line. */
function replacement(
  { pair: { key, value }, map }: { readonly pair: Pair; readonly map: YAMLMap },
  keys: readonly string[],
  sysctls: readonly Sysctl[],
  style: Style,
): Edit[] {
  if (isNode(value) && !(isScalar(value) && value.value === null))
    throw new NotEditable('its securityContext, or the sysctls there, are of another type: mend them first');
  const { text, newline } = style;
  const colon = afterColon(text, key);
  const [start, end] = [Math.max(colon, startOf(value)), Math.max(colon, endOf(value))];
  if (map.flow) {
    const words =
      keys.length === 0 ? flowText(keys, sysctls, style) : `{ ${flowText(keys, sysctls, style)} }`;
    return start < end ? [{ start, end, text: words }] : [{ start: colon, end: colon, text: ` ${words}` }];
  }
  const indent = columnOf(text, startOf(key)) + (keys.length === 0 ? style.dash : style.step);
  const lines = blockLines(keys, sysctls, { indent, style });
  const line = lineEndAfter(text, start < end ? end : colon);
  return [
    { start: start - (start < end ? gapBetween(text, colon, start).length : 0), end, text: '' },
    { start: line, end: line, text: lines.map((one) => newline + one).join('') },
  ];
}

function afterColon(text: string, key: unknown): number {
  const [colon] = /^\s*:/.exec(text.slice(endOf(key))) ?? [];
  if (colon === undefined)
    throw new NotEditable(
      'its securityContext, or the sysctls there, are a key without a colon: write it out',
    );
  return endOf(key) + colon.length;
}

/** Values of entries that are there already; each keeps its quotes. */
function changes(text: string, list: YAMLSeq, wanted: readonly Sysctl[]): Edit[] {
  return list.items.flatMap((item, at) => {
    const entry = editable(item, 'sysctls');
    const value = isMap(entry) ? editable(entry.get('value', true), 'sysctls') : undefined;
    const want = wanted[at]?.value;
    if (!isScalar(value) || want === undefined || value.value === want) return [];
    const quote = value.type === 'QUOTE_SINGLE' ? "'" : '"';
    return valueEdits(text, value, `${quote}${want}${quote}`);
  });
}

/** A block scalar ends with the line end that keeps the next line apart, and has a comment on its first line. */
function valueEdits(text: string, value: Scalar, words: string): Edit[] {
  const [start, end] = [startOf(value), endOf(value)];
  if (value.type !== 'BLOCK_LITERAL' && value.type !== 'BLOCK_FOLDED') return [{ start, end, text: words }];
  const header = start + (/^[|>][-+\d]*/.exec(text.slice(start))?.[0].length ?? 0);
  const line = lineEndAfter(text, header);
  const last = Math.max(line, end - gapBetween(text, line, end).length);
  return [
    { start, end: header, text: words },
    { start: line, end: last, text: '' },
  ];
}

function addition(list: YAMLSeq, added: readonly Sysctl[], style: Style): Edit {
  return list.flow ? flowAddition(list, added, style) : blockAddition(list, added, style);
}

function flowAddition(list: YAMLSeq, added: readonly Sysctl[], style: Style): Edit {
  const words = flowItems(added, style);
  const open = startOf(list) + 1;
  const last = list.items.at(-1);
  if (last === undefined) return { start: open, end: open, text: words };
  const before = list.items.at(-2);
  const gap = gapBetween(style.text, before === undefined ? open : endOf(before), startOf(last));
  return { start: endOf(last), end: endOf(last), text: `,${gap || ' '}${words}` };
}

function blockAddition(list: YAMLSeq, added: readonly Sysctl[], style: Style): Edit {
  const { text, newline } = style;
  const lines = blockLines([], added, { indent: columnOf(text, startOf(list)), style });
  return linesBehind(text, list, lines, newline);
}

/** Lines of their own behind the last one of a block. */
export function linesBehind(text: string, block: unknown, lines: readonly string[], newline: string): Edit {
  const end = lastByte(block);
  const next = text[end - 1] === '\n' ? end : text.indexOf('\n', end) + 1;
  if (next > 0) return { start: next, end: next, text: lines.map((one) => `${one}${newline}`).join('') };
  return { start: text.length, end: text.length, text: lines.map((one) => `${newline}${one}`).join('') };
}
