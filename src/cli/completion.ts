import type { Complete, RootCommand } from '@bomb.sh/tab';
import { ShellCompDirective } from '@bomb.sh/tab';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

import { presetNames } from '../api/presets.ts';
import { bashCompletion } from './bash-completion.ts';
import type { Terminal } from './terminal.ts';

/** Adds `completion SHELL`, which prints a script for a shell, and `complete`, which that script calls at each TAB. */
export function addCompletion(root: Command, terminal: Terminal): void {
  const completions = tab(root, { completionCommandName: 'completion' });
  const command = root.commands.find((one) => one.name() === 'completion');
  command
    ?.summary('prints what a shell needs to complete commands and options')
    .description(
      'Prints a script that lets a shell complete commands, options and the names of presets with the TAB key.',
    )
    .addHelpText(
      'after',
      `
Examples:
  source <(keepalive completion bash)     in ~/.bashrc
  source <(keepalive completion zsh)      in ~/.zshrc, below compinit
  keepalive completion fish | source      in ~/.config/fish/config.fish
`,
    );
  const setup = completions.setup.bind(completions);
  completions.setup = (name, executable, shell) => {
    if (shell === 'bash') terminal.out(bashCompletion);
    else setup(name, executable, shell);
  };
  // Not choices of the option itself, whose error would be a list of them all.
  const addPresets = (complete: Complete) => {
    for (const name of presetNames) complete(name, '');
  };
  completions.commands.get('derive')?.option('preset', 'a product whose default is known', addPresets, 'p');
  summarize(completions, root);
  leaveFiles(completions, root);
}

/** What a shell shows beside the name of a command is one line. */
function summarize(completions: RootCommand, root: Command): void {
  for (const command of root.commands) {
    const completion = completions.commands.get(command.name());
    if (completion !== undefined) completion.description = command.summary() || command.description();
  }
}

/** Names of files are for the shell to complete, and tab has it complete none, whatever is asked. */
function leaveFiles(completions: RootCommand, root: Command): void {
  let directive = ShellCompDirective.ShellCompDirectiveNoFileComp;
  // There is one of them in a process, whoever adds to it again.
  Object.defineProperty(completions, 'directive', {
    configurable: true,
    get: () => directive,
    set: () => undefined,
  });
  const leave = () => {
    directive = ShellCompDirective.ShellCompDirectiveDefault;
  };
  for (const command of root.commands)
    for (const { flags, long, short, description } of command.options)
      if (/<(?:file|path)>/.test(flags))
        completions.commands
          .get(command.name())
          ?.option(long?.slice(2) ?? '', description, leave, short?.slice(1));
}
