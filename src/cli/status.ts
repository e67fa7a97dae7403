import { Command, Option } from 'commander';

import type { ClusterOptions } from './cluster-option.ts';
import { addClusterOptions } from './cluster-option.ts';
import { formatNames } from './format.ts';
import type { Cluster } from './cluster.ts';
import type { Board } from './status-board.ts';
import type { StatusFacts } from './status-facts.ts';
import type { StatusFormat } from './status-output.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, exitCodes } from './terminal.ts';

interface Options extends ClusterOptions {
  readonly watch?: true;
  readonly output: StatusFormat;
}

const examples = `
Examples:
  keepalive status                            every policy and every node
  keepalive status -n db --watch              the policies of one namespace, until Ctrl-C
  keepalive status --output json | jq .wrong  for programs
  keepalive status --context staging          of another cluster
`;

export function statusCommand(terminal: Terminal, version: string): Command {
  const command = new Command('status')
    .summary('the cluster at a glance: policies, nodes, and what is wrong first')
    .description(
      'The cluster at a glance, as the operator tells of it: what is wrong first; then every policy with its values, the hop that binds, ' +
        'pods and connections that are covered and that are not, and its worst findings; then every node, whether its agent reports and ' +
        'how it reaches connections. ' +
        'Exit codes: 0 nothing is wrong, 1 something is, 2 called wrongly or the cluster cannot be read.',
    );
  return addClusterOptions(command, 'policies of this namespace only, beside those of the cluster')
    .option('-w, --watch', 'show it anew whenever it changes')
    .addOption(
      new Option('-o, --output <format>', 'how to write it').choices(formatNames.status).default('text'),
    )
    .addHelpText('after', examples)
    .action((options: Options) => status(options, terminal, version));
}

async function status(options: Options, terminal: Terminal, version: string): Promise<void> {
  const [{ openCluster }, { statusFacts }, { boardOf }, { statusWriters }] = await Promise.all([
    import('./cluster.ts'),
    import('./status-facts.ts'),
    import('./status-board.ts'),
    import('./status-output.ts'),
  ]);
  const cluster = await openCluster(options, version);
  try {
    const first = await statusFacts(cluster, options.namespace);
    const board = boardOf(first);
    const write = (one: Board) => statusWriters[options.output](one, terminal.style);
    if (options.watch) await watch({ cluster, first, write, options, terminal });
    else terminal.out(write(board));
    if (board.wrong.length > 0 && !options.watch) throw new CommandError('', exitCodes.found);
  } finally {
    await cluster.client.close();
  }
}

interface Watch {
  readonly cluster: Cluster;
  readonly first: StatusFacts;
  readonly write: (board: Board) => string;
  readonly options: Options;
  readonly terminal: Terminal;
}

const clearScreen = '\u001B[2J\u001B[H';

async function watch({ cluster, first, write, options, terminal }: Watch): Promise<void> {
  const [{ watchStatus }, { boardOf }] = await Promise.all([
    import('./status-watch.ts'),
    import('./status-board.ts'),
  ]);
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort();
  });
  // Nobody reads on.
  process.stdout.once('error', () => {
    stop.abort();
  });
  const isScreen = terminal.stdoutIsTerminal && options.output === 'text';
  let shown = '';
  const show = (facts: StatusFacts, old: readonly string[]) => {
    const board = boardOf(facts);
    const text = write({ ...board, unknown: [...board.unknown, ...old] });
    // What changed may not be among what is shown.
    if (text === shown) return;
    terminal.out(
      isScreen ? `${clearScreen}${text}` : `${shown === '' || options.output === 'json' ? '' : '\n'}${text}`,
    );
    shown = text;
  };
  await watchStatus({ cluster, namespace: options.namespace, first, show, signal: stop.signal });
}
