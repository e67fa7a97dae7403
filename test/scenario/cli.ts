/** npm run -s scenario -- [NAME…] [--json]: every way an idle connection dies, and that it lives with a policy. */
import { Command } from 'commander';

import { Cluster } from '../cluster/cluster.ts';
import { perform } from './perform.ts';
import type { Result } from './result.ts';
import { shortcomings } from './result.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { table } from './table.ts';

interface Options {
  readonly json?: boolean;
  readonly cluster: string;
}

const names = scenarios.map(({ name }) => name).join(', ');
const program = new Command('scenario')
  .description('Show how idle connections die without a policy and live with one. Without a name, all of it.')
  .argument('[name...]', `of ${names}`)
  .option('--json', 'print the results as JSON')
  .option('--cluster <name>', 'what the cluster is called, to keep several apart', 'scenario')
  .action(async (wanted: string[], options: Options) => {
    const unknown = wanted.filter((name) => !scenarios.some((one) => one.name === name));
    if (unknown.length > 0) program.error(`there is no scenario ${unknown.join(', ')}: choose of ${names}`);
    const chosen = scenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
    process.exitCode = (await run(chosen, options, interruption())) ? 0 : 1;
  });

async function run(chosen: readonly Scenario[], options: Options, signal: AbortSignal): Promise<boolean> {
  const say = narrator(options.json === true ? process.stderr : process.stdout);
  const packages = chosen.flatMap((scenario) => scenario.packages ?? []);
  const cluster = await Cluster.up({ name: options.cluster, owned: true, packages, signal });
  try {
    await cluster.install();
    say('', `Kubernetes ${cluster.kubernetes} is ready, with the operator in it`);
    const results: Result[] = [];
    for (const scenario of chosen) {
      say(scenario.name, scenario.story);
      const result = await perform(scenario, cluster, { say: (text) => say(scenario.name, text), signal });
      results.push(result);
      if (options.json !== true) process.stdout.write(`\n${table(result)}\n\n`);
      for (const one of shortcomings(result)) say(scenario.name, `NOT HELD: ${one}`);
    }
    if (options.json === true) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
    return results.every((result) => shortcomings(result).length === 0);
  } finally {
    await cluster.down();
  }
}

function narrator(to: NodeJS.WriteStream): (scenario: string, text: string) => void {
  const begun = performance.now();
  return (scenario, text) => {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1).padStart(5);
    to.write(`[${seconds} s] ${scenario === '' ? '' : `${scenario}: `}${text}\n`);
  };
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      controller.abort(new Error(`${name}: everything was cleared up`));
    });
  }
  return controller.signal;
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
