import { shorthand } from '../api/triple.ts';
import type { Explanation, Match, Part, Standing, Statement } from './explanation.ts';
import { parts } from './explanation.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';

type Writer = (explanation: Explanation, style: Terminal['style']) => string;

/** What `explain --output` can write, by its name. */
export const explanationWriters = {
  text: (explanation, style) => text(printable(explanation), style),
  json: (explanation) => `${JSON.stringify(explanation, undefined, 2)}\n`,
} as const satisfies Readonly<Record<string, Writer>>;

export type ExplanationFormat = keyof typeof explanationWriters;

const standings: Readonly<Record<Standing, readonly [words: string, color: 'green' | 'red' | 'yellow']>> = {
  Covered: ['covered', 'green'],
  NotCovered: ['not covered', 'red'],
  Unselected: ['no policy is for it', 'yellow'],
  Unknown: ['not all is known', 'yellow'],
};

const titles: Readonly<Record<Part, string>> = {
  policies: 'Policies',
  creation: 'At its creation',
  kernel: 'What the kernel holds',
  connections: 'Its connections',
};

function text(explanation: Explanation, style: Terminal['style']): string {
  const { about, node, standing, todo } = explanation;
  const [words, color] = standings[standing];
  const where = node === undefined ? '' : ` on ${node}`;
  const sections = parts.flatMap((part) => {
    const lines = [
      ...(part === 'policies' ? policyLines(explanation, style) : []),
      ...(explanation.parts[part] ?? []).map((one) => statementLine(one, style)),
    ];
    return lines.length === 0 ? [] : [section(titles[part], lines, style)];
  });
  const toDo =
    todo.length === 0
      ? []
      : [
          section(
            'What to do',
            todo.map((one) => `- ${one}`),
            style,
          ),
        ];
  return [`${style('bold', about)}${where}: ${style(color, words)}\n`, ...sections, ...toDo].join('\n');
}

function section(title: string, lines: readonly string[], style: Terminal['style']): string {
  return `${style('bold', title)}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function policyLines({ selectedBy, asked }: Explanation, style: Terminal['style']): string[] {
  if (selectedBy.length === 0) return ['none selects it: compare its labels with their selectors'];
  return [
    ...selectedBy.map((match) => matchLine(match, style)),
    ...(asked === undefined
      ? []
      : [
          `asked of it: ${style('bold', shorthand(asked))}, behind ${asked.idleTimeoutSeconds} s of ${asked.hop} (${asked.by})`,
          ...asked.declared,
        ]),
  ];
}

function matchLine(
  { kind, namespace, name, effective, inactive, binds }: Match,
  style: Terminal['style'],
): string {
  const called = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  const what = `${shorthand(effective)} behind ${effective.idleTimeoutSeconds} s of ${effective.limitedBy}`;
  const how =
    inactive === undefined
      ? binds
        ? style('green', 'binds')
        : 'its timeout is no shorter'
      : style('yellow', 'does not act');
  return `${called}: ${what}: ${how}${inactive === undefined ? '' : ` (${inactive})`}`;
}

const marks: Readonly<
  Record<Statement['is'], readonly [mark: string, color: 'green' | 'red' | 'yellow' | 'cyan']>
> = {
  fine: ['fine', 'green'],
  wrong: ['wrong', 'red'],
  note: ['note', 'cyan'],
  unknown: ['unknown', 'yellow'],
};

function statementLine({ is, text: words }: Statement, style: Terminal['style']): string {
  const [mark, color] = marks[is];
  return `${style(color, mark)}: ${words}`;
}
