import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

import { presetNames } from '../api/presets.ts';

/** Adds `completion SHELL`, which prints a script for a shell, and `complete`, which that script calls at each TAB. */
export function addCompletion(root: Command): void {
  const completions = tab(root, { completionCommandName: 'completion' });
  // Not choices of the option itself, whose error would be a list of them all.
  completions.commands.get('derive')?.option('preset', 'a product whose default is known', (complete) => {
    for (const name of presetNames) complete(name, '');
  });
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
  source <(keepalive completion zsh)      in ~/.zshrc
  keepalive completion fish | source      in ~/.config/fish/config.fish
`,
    );
}
