import { CST, Lexer } from 'yaml';

import { jsonIn } from './yaml-text.ts';

interface Slip {
  /** In characters from the start of the text. */
  readonly offset: number;
  readonly message: string;
}

/** All that go-yaml 2 takes (readerc.go): tabs, line ends, and what is printed. */
const untaken = /[^\t\n\r -~\u0085\u00A0-\uFFFD]/;
const startsWithTab = /^ *\t/m;

/** The first of what our parser takes and kubectl's does not; JSON has rules of its own, which kubectl keeps to. */
export function slipIn(text: string): Slip | undefined {
  const control = text.search(untaken);
  if (control < 0 && !startsWithTab.test(text)) return undefined;
  if (jsonIn(text) !== undefined) return undefined;
  if (control >= 0) {
    const code = text.charCodeAt(control).toString(16).toUpperCase().padStart(4, '0');
    return { offset: control, message: `kubectl takes no control character (U+${code}): remove it` };
  }
  const tab = tabIn(text);
  return tab === undefined
    ? undefined
    : { offset: tab, message: 'kubectl takes no tab at the start of this line: remove it, or write spaces' };
}

interface Token {
  readonly type: string;
  readonly start: number;
  readonly text: string;
}

/**
 * go-yaml 2 (scannerc.go) takes a tab for the start of a token in a line of nothing else, or before a comment. In brackets, in quotes and
 * further in than the scalar that a line goes on it takes one for a space.
 */
function tabIn(text: string): number | undefined {
  let [depth, spaces] = [0, Infinity];
  for (const token of tokensOf(text)) {
    spaces = spacesBeforeTabs(text, token) ?? spaces;
    depth += depthOf(token);
    const tab = depth === 0 ? tabAt(text, token, spaces) : undefined;
    if (tab !== undefined) return tab;
  }
  return undefined;
}

function* tokensOf(text: string): Generator<Token> {
  let [start, isScalar, header] = [0, false, ''];
  for (const token of new Lexer().lex(text)) {
    if (!isScalar && (token === CST.SCALAR || token === CST.DOCUMENT || token === CST.FLOW_END)) {
      isScalar = token === CST.SCALAR;
      continue;
    }
    const type = isScalar ? scalarType(header) : (CST.tokenType(token) ?? '');
    yield { type, start, text: token };
    if (isScalar) header = '';
    if (type === 'block-scalar-header') header = token;
    [start, isScalar] = [start + token.length, false];
  }
}

/** A block whose indentation is written out may start with tabs. */
function scalarType(header: string): string {
  if (header === '') return 'scalar';
  return /\d/.test(header) ? 'indented-scalar' : 'block-scalar';
}

function depthOf({ type }: Token): number {
  if (/^flow-(map|seq)-start$/.test(type)) return 1;
  return /^flow-(map|seq)-end$/.test(type) ? -1 : 0;
}

/** By how many spaces a line has to be further in for a tab to be a space; `undefined` where it stays as it was. */
function spacesBeforeTabs(text: string, { type, start, text: token }: Token): number | undefined {
  if (type === 'space' || type === 'newline') return undefined;
  if (type === 'scalar') return spacesInside(text.slice(lineStart(text, start), start));
  const first = /^ *\S/m.exec(token);
  if (type !== 'block-scalar' || first === null) return Infinity;
  return startsWithTab.test(token.slice(0, first.index)) ? Infinity : first[0].length - 1;
}

/** Of a scalar that begins a line of its own nobody says here how far in its block is: further than the start of a line. */
function spacesInside(before: string): number {
  const indent = before.search(/[^ ]/);
  return indent < 0 ? 1 : indent + 1;
}

function tabAt(text: string, { type, start, text: token }: Token, spaces: number): number | undefined {
  if (!['space', 'scalar', 'block-scalar'].includes(type)) return undefined;
  const from = lineStart(text, start);
  for (const { 0: match, index } of text.slice(from, start + token.length).matchAll(/^ *\t/gm))
    if (match.length - 1 < spaces && from + index + match.length > start)
      return from + index + match.length - 1;
  return undefined;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}
