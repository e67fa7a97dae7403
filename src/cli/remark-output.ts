import { printable } from './printable.ts';
import type { Remark, Severity } from './remark.ts';
import { severityOf } from './remark.ts';
import { sarif } from './sarif.ts';
import type { Terminal } from './terminal.ts';

interface Context {
  readonly style: Terminal['style'];
  readonly version: string;
  /** As in `2 policies and 5 pod templates in 3 files`. */
  readonly seen: string;
}

type Writer = (remarks: readonly Remark[], context: Context) => string;

/** What `check --output` can write, by its name. */
export const remarkWriters = {
  text,
  json: (remarks) => `${JSON.stringify(remarks.map(plain), undefined, 2)}\n`,
  sarif: (remarks, { version }) => `${JSON.stringify(sarif(remarks, version), undefined, 2)}\n`,
  github: (remarks) => remarks.map(workflowCommand).join(''),
} as const satisfies Readonly<Record<string, Writer>>;

export type RemarkFormat = keyof typeof remarkWriters;

const colors = { error: 'red', warning: 'yellow', note: 'cyan' } as const satisfies Record<Severity, string>;

/** As compilers write it, so that editors find the place. */
function text(remarks: readonly Remark[], { style, seen }: Context): string {
  const lines = remarks.map((one) => `${remarkLine(one, style)}\n`);
  return `${lines.join('')}${summary(remarks)}: ${seen}\n`;
}

/** `policies.yaml:9:7: error: KeepalivePolicy db/behind-the-nat: … [refused]` */
export function remarkLine(one: Remark, style: Terminal['style'] = (_how, words) => words): string {
  const { kind, place } = one;
  const { file, object, message } = printable({ file: one.file, object: one.object, message: one.message });
  const severity = severityOf(one);
  const about = object === '' ? '' : `${object}: `;
  return `${file}:${place.line}:${place.column}: ${style(colors[severity], severity)}: ${about}${message} [${kind}]`;
}

function summary(remarks: readonly Remark[]): string {
  const counted = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const { length } = remarks.filter((one) => severityOf(one) === severity);
    return length === 0 ? [] : [numbered(length, severity)];
  });
  return counted.length === 0 ? 'nothing to remark' : counted.join(', ');
}

export function numbered(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

function plain(one: Remark) {
  const { kind, file, place, object, message } = one;
  return { rule: kind, severity: severityOf(one), file, ...place, object, message };
}

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'notice' };

/** Annotations of a pull request: github.com/actions/toolkit, packages/core, command.ts has the escapes. */
function workflowCommand(one: Remark): string {
  const { kind, file, place, object, message } = one;
  const properties = { file, line: place.line, col: place.column, title: `keepalive ${kind}` };
  const list = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
  const about = object === '' ? '' : `${object}: `;
  return `::${commands[severityOf(one)]} ${list.join(',')}::${escapeData(`${about}${message}`)}\n`;
}

function escapeData(words: string): string {
  return words.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(words: string): string {
  return escapeData(words).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
