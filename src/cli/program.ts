import { Command, CommanderError } from 'commander';

import { checkCommand } from './check.ts';
import { deriveCommand } from './derive.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { renderCommand } from './render.ts';
import { mostSimilar } from './similar.ts';
import { statusCommand } from './status.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, exitCodes, isCommandError } from './terminal.ts';

export const version = process.env.KEEPALIVE_VERSION ?? 'development';

/** Every command; those that take long to load do so when they are called. */
export function program(terminal: Terminal): Command {
  const root = new Command('keepalive')
    .description(
      'Keeps idle TCP connections alive through NATs, IPVS, load balancers and firewalls: the values, the policies and the ' +
        'manifests of keepalive-operator, checked and explained before and after they reach a cluster.',
    )
    .version(version, '-V, --version', 'print the version')
    .addCommand(deriveCommand(terminal))
    .addCommand(checkCommand(terminal, version))
    .addCommand(renderCommand(terminal))
    .addCommand(statusCommand(terminal, version))
    .addCommand(explainCommand(terminal, version))
    .addCommand(doctorCommand(terminal, version))
    .addHelpText(
      'after',
      '\n`keepalive COMMAND --help` tells more, with examples. Exit codes: 0 fine, 1 found something, 2 called wrongly.',
    );
  for (const command of [root, ...root.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .showHelpAfterError(
        `(see \`${command === root ? 'keepalive' : `keepalive ${command.name()}`} --help\`)`,
      )
      .configureOutput({
        writeOut: (text) => {
          terminal.out(text);
        },
        writeErr: (text) => {
          terminal.say(text);
        },
      });
  }
  return root;
}

/** Runs one command line; gives back its exit code. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const root = program(terminal);
    // Loaded where somebody may ask for it: the fast commands do without.
    if (!root.commands.some((command) => command.name() === argv[0])) {
      const { addCompletion } = await import('./completion.ts');
      addCompletion(root, terminal);
    }
    refuseHelpOnNothing(root, argv);
    await root.parseAsync(argv, { from: 'user' });
    return exitCodes.fine;
  } catch (error) {
    // It has said what is wrong already; help and the version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.wrong;
    if (!isCommandError(error)) throw error;
    if (error.message !== '') terminal.say(`${terminal.styleSaid('red', 'error:')} ${error.message}\n`);
    return error.exitCode;
  }
}

/** Of what is no command, commander prints the help of all and says nothing of it. */
function refuseHelpOnNothing(root: Command, [verb, name]: readonly string[]): void {
  if (verb !== 'help' || name === undefined || name.startsWith('-')) return;
  const names = [...root.commands.map((command) => command.name()), 'help'];
  if (names.includes(name)) return;
  const similar = mostSimilar(name, names);
  throw new CommandError(
    `there is no command ${name}${similar === undefined ? '' : `: did you mean ${similar}?`} (see \`keepalive --help\`)`,
  );
}
