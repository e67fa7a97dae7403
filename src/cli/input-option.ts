import type { Command } from 'commander';

/** For an option that may be given several times. Not at all is undefined: help would show an empty list as its default. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

/** How an input is read, whatever is done with it then. */
export function addReadingOptions(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'of what names none', 'default')
    .option(
      '--template <kind.group=path>',
      'where another kind has its pod template: Rollout.argoproj.io=spec.template; again for more',
      collect,
    );
}
