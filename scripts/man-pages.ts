import type { Command } from 'commander';

import packageJson from '../package.json' with { type: 'json' };
import { documentedCommands, helpOf } from './cli-commands.ts';

/** Name of a file → its text in the macros of man(7), for the tool and each of its commands. */
export function manPages(): ReadonlyMap<string, string> {
  const { root, commands } = documentedCommands();
  const own = commands.filter((command) => command.name() !== 'help');
  const pages = own.map((command) => {
    const name = `keepalive-${command.name()}`;
    return [`${name}.1`, page(name, command, [see('keepalive')])] as const;
  });
  const others = own.map((command) => see(`keepalive-${command.name()}`));
  return new Map([['keepalive.1', page('keepalive', root, others)], ...pages]);
}

const see = (name: string) => `.BR ${escaped(name)} (1)`;

function page(name: string, command: Command, others: readonly string[]): string {
  const help = command.createHelp();
  const usage = help.commandUsage(command).replace(/^keepalive\S* ?/, '');
  const options = help
    .visibleOptions(command)
    .map((option) => item(help.optionTerm(option), help.optionDescription(option)));
  const commands = help
    .visibleCommands(command)
    .map((one) => item(help.subcommandTerm(one), help.subcommandDescription(one)));
  const summary = command.summary() || 'keeps idle TCP connections alive';
  return [
    `.TH ${escaped(name.toUpperCase())} 1 "" "keepalive-operator ${packageJson.version}"`,
    `.SH NAME\n${escaped(name)} \\- ${escaped(summary)}`,
    `.SH SYNOPSIS\n.B keepalive\n${escaped(usage)}`,
    `.SH DESCRIPTION\n${escaped(help.commandDescription(command))}`,
    ...section('COMMANDS', commands),
    ...section('OPTIONS', options),
    ...examplesOf(command),
    '.SH EXIT STATUS\n0 fine, 1 something was found, 2 called wrongly or something cannot be read.',
    `.SH SEE ALSO\n${others.join(' ,\n')}`,
    '',
  ].join('\n');
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`.SH ${title}\n${items.join('\n')}`];
}

function item(term: string, description: string): string {
  return `.TP\n.B ${escaped(term)}\n${escaped(description)}`;
}

/** As they stand at the end of `--help`. */
function examplesOf(command: Command): string[] {
  const [, examples] = /\nExamples:\n([^]*)$/.exec(helpOf(command)) ?? [];
  if (examples === undefined) return [];
  const lines = examples.split('\n').map((line) => escaped(line.replace(/^ {2}/, '')));
  return [`.SH EXAMPLES\n.EX\n${lines.join('\n')}\n.EE`];
}

/** No dash that becomes a typographic one, and no line that is a request. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}
