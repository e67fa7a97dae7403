import { Command, Option } from 'commander';

import { formatNames } from './format.ts';
import type { RemarkFormat } from './remark-output.ts';
import { addReadingOptions, collect } from './input-option.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, exitCodes } from './terminal.ts';

interface Options {
  readonly filename?: readonly string[];
  readonly namespace: string;
  readonly template?: readonly string[];
  readonly output: RemarkFormat;
  readonly strict?: true;
}

const examples = `
Examples:
  keepalive check                                  every manifest below this folder
  keepalive check -f policies/ -f apps/ --strict   warnings count too
  helm template . | keepalive check -f -           what a chart makes
  keepalive check --output sarif > keepalive.sarif for a forge
  keepalive check --template Rollout.argoproj.io=spec.template
`;

export function checkCommand(terminal: Terminal, version: string): Command {
  const command = new Command('check')
    .summary('judges policies as the API server would, and what they select beside them')
    .description(
      'Judges policies as the API server would judge them, by the same rules and in the same words, with file and line; and ' +
        'across all files: policies that select nothing, overlap, or meet proxies; numbers that look like minutes or ' +
        'milliseconds; pods whose own sysctls somebody refuses. Needs no cluster. ' +
        'Exit codes: 0 nothing is refused, 1 something is, 2 called wrongly or a file cannot be read.',
    )
    .option(
      '-f, --filename <path>',
      'a file, a folder with all below it, or - for standard input; again for more (default: this folder)',
      collect,
    );
  return addReadingOptions(command)
    .option('--strict', 'warnings count as errors')
    .addOption(
      new Option('-o, --output <format>', 'how to write it').choices(formatNames.remarks).default('text'),
    )
    .addHelpText('after', examples)
    .action((options: Options) => check(options, terminal, version));
}

async function check(options: Options, terminal: Terminal, version: string): Promise<void> {
  const { filename = ['.'], namespace, output } = options;
  const [
    { readSources, sayUnread },
    { review },
    { templatesOf },
    { numbered, remarkWriters },
    { severityOf },
  ] = await Promise.all([
    import('./input.ts'),
    import('./review.ts'),
    import('./workload.ts'),
    import('./remark-output.ts'),
    import('./remark.ts'),
  ]);
  const [sources = []] = await readSources([filename], terminal);
  const { remarks, policies, workloads } = review(sources, {
    namespace,
    templates: templatesOf(options.template),
  });
  const seen = [
    `${numbered(policies.length, 'valid policy', 'valid policies')} and ${numbered(workloads.length, 'pod template')}`,
    `in ${numbered(sources.length, 'file')}`,
  ].join(' ');
  terminal.out(remarkWriters[output](remarks, { style: terminal.style, version, seen }));
  const counting = options.strict ? ['error', 'warning'] : ['error'];
  if (remarks.some(({ kind }) => kind === 'unreadable')) throw new CommandError('', exitCodes.wrong);
  if (remarks.some((one) => counting.includes(severityOf(one)))) throw new CommandError('', exitCodes.found);
  if (policies.length === 0) sayUnread('no policy', { filename: options.filename, terminal });
}
