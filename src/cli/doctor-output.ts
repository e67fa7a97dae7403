import type { Diagnosed } from './diagnosis.ts';
import { printable } from './printable.ts';
import { numbered } from './remark-output.ts';
import type { Terminal } from './terminal.ts';

interface Context {
  readonly style: Terminal['style'];
  /** Which cluster it is of. */
  readonly where: string;
}

type Writer = (diagnosed: readonly Diagnosed[], context: Context) => string;

/** What `doctor --output` can write, by its name. */
export const diagnosisWriters = {
  text: (diagnosed, { style, where }) => `${printable(where)}\n\n${text(printable(diagnosed), style)}`,
  json: (diagnosed) =>
    `${JSON.stringify(
      diagnosed.map(({ check, is, text: words, todo }) => ({
        check,
        is,
        text: words,
        ...(todo === undefined ? {} : { fix: todo }),
      })),
      undefined,
      2,
    )}\n`,
} as const satisfies Readonly<Record<string, Writer>>;

export type DiagnosisFormat = keyof typeof diagnosisWriters;

const order = ['wrong', 'unknown', 'note', 'fine'] as const;
const colors = { wrong: 'red', unknown: 'yellow', note: 'cyan', fine: 'green' } as const;

/** What is wrong first, each with its fix. */
function text(diagnosed: readonly Diagnosed[], style: Terminal['style']): string {
  const lines = order.flatMap((is) =>
    diagnosed
      .filter((one) => one.is === is)
      .map(({ check, text: words, todo }) => {
        const fix = todo === undefined ? '' : `         fix: ${todo}\n`;
        return `${style(colors[is], is.padEnd(7))}  ${style('bold', check)}: ${words}\n${fix}`;
      }),
  );
  return `${lines.join('')}\n${summary(diagnosed)}\n`;
}

function summary(diagnosed: readonly Diagnosed[]): string {
  const count = (is: Diagnosed['is']) => diagnosed.filter((one) => one.is === is).length;
  const [found, open] = [count('wrong'), count('unknown')];
  if (found + open === 0) return 'Nothing keeps the product from working here.';
  return (
    [
      found === 0 ? 'Nothing wrong was found' : `${numbered(found, 'thing')} to mend`,
      ...(open === 0 ? [] : [`${numbered(open, 'check')} could not be made`]),
    ].join(', ') + '.'
  );
}
