import type { Terminal } from './terminal.ts';

type Style = Parameters<Terminal['style']>[0];

/** What stands in one place of a table, and how it looks; a bare text looks as it is. */
export type Cell = string | { readonly text: string; readonly style: Style };

const gap = '  ';

/** A head and rows below it, each column as wide as its widest cell; nothing where there is no row. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  style: Terminal['style'],
): string {
  if (rows.length === 0) return '';
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => textOf(row[at] ?? '').length)),
  );
  const line = (row: readonly Cell[]) => {
    const cells = row.map((cell, at) => {
      const isLast = at === row.length - 1;
      const padding = isLast ? '' : ' '.repeat((widths[at] ?? 0) - textOf(cell).length);
      return typeof cell === 'string' ? cell + padding : style(cell.style, cell.text) + padding;
    });
    return `${cells.join(gap).trimEnd()}\n`;
  };
  return line(head.map((text) => ({ text, style: 'bold' }))) + rows.map(line).join('');
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}
