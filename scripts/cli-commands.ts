import type { Command } from 'commander';

import { addCompletion } from '../src/cli/completion.ts';
import { program } from '../src/cli/program.ts';

/** The tool and its commands as they are documented; none of them is run. */
export function documentedCommands(): { readonly root: Command; readonly commands: readonly Command[] } {
  const silent = {
    cwd: '.',
    out: () => undefined,
    say: () => undefined,
    readStdin: () => Promise.resolve(Buffer.alloc(0)),
    stdinIsTerminal: true,
    stdinIsPiped: false,
    stdoutIsTerminal: false,
    style: (_how: unknown, words: string) => words,
    styleSaid: (_how: unknown, words: string) => words,
  };
  const root = program(silent);
  addCompletion(root, silent);
  return { root, commands: root.commands.filter((command) => command.name() !== 'complete') };
}

/** What `--help` says. */
export function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (words) => (text += words), getOutHelpWidth: () => 100 });
  command.outputHelp();
  return text.replaceAll(/ +$/gm, '').trimEnd();
}
