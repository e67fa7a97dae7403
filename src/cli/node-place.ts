import type { Pair } from 'yaml';
import { isMap, isNode, isSeq } from 'yaml';

/** Where nodes of YAML are in their text, in characters from its start. */

export function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** After its last character, without what stands behind it. */
export function endOf(node: unknown): number {
  return isNode(node) ? (node.range?.[1] ?? 0) : 0;
}

/** Where the last scalar of a block ends: the block itself goes on over comments that follow. */
export function lastByte(node: unknown): number {
  if ((isMap(node) || isSeq(node)) && !node.flow && node.items.length > 0) {
    const last = node.items.at(-1);
    return isSeq(node) ? lastByte(last) : lastByte((last as Pair).value ?? (last as Pair).key);
  }
  return endOf(node);
}

export function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** Before the line end that comes next, or at the end of the text. */
export function lineEndAfter(text: string, offset: number): number {
  return offset + (/\r?\n|$/.exec(text.slice(offset))?.index ?? 0);
}

/** The spaces and line ends before a place, back to another. */
export function gapBetween(text: string, from: number, to: number): string {
  return /\s*$/.exec(text.slice(from, to))?.[0] ?? '';
}
