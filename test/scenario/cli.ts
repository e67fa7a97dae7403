/** npm run -s scenario -- [NAME…] [--json] [--write]: every way an idle connection dies, and that it lives with a policy. */
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';

import { Cluster } from '../cluster/cluster.ts';
import { repository } from '../cluster/place.ts';
import { page } from './page.ts';
import { perform } from './perform.ts';
import type { Proof, Result } from './result.ts';
import { shortcomings } from './result.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { table } from './table.ts';

interface Options {
  readonly json?: boolean;
  readonly write?: boolean;
  readonly cluster: string;
}

const names = scenarios.map(({ name }) => name).join(', ');
const program = new Command('scenario')
  .description('Show how idle connections die without a policy and live with one. Without a name, all of it.')
  .argument('[name...]', `of ${names}`)
  .option('--json', 'print the results as JSON')
  .option('--write', 'write what was seen to docs/proof.md; only with all of it')
  .option('--cluster <name>', 'what the cluster is called, to keep several apart', 'scenario')
  .action(async (wanted: string[], options: Options) => {
    const unknown = wanted.filter((name) => !scenarios.some((one) => one.name === name));
    if (unknown.length > 0) program.error(`there is no scenario ${unknown.join(', ')}: choose of ${names}`);
    if (options.write === true && wanted.length > 0)
      program.error('docs/proof.md tells of every scenario: leave out the names, or --write');
    const chosen = scenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
    const proof = await play(chosen, options, interruption());
    publish(proof, options);
    process.exitCode = proof.scenarios.every((one) => shortcomings(one).length === 0) ? 0 : 1;
  });

/** One after the other, on one cluster: the policy of each reaches the host network that they share. */
async function play(chosen: readonly Scenario[], options: Options, signal: AbortSignal): Promise<Proof> {
  const say = narrator(options.json === true ? process.stderr : process.stdout);
  const cluster = await Cluster.up({ name: options.cluster, owned: true, signal });
  try {
    await cluster.install();
    say('', `Kubernetes ${cluster.kubernetes} is ready, with the operator in it`);
    const results: Result[] = [];
    for (const scenario of chosen) {
      const sayOfIt = (text: string) => {
        say(scenario.name, text);
      };
      sayOfIt(scenario.story);
      const result = await perform(scenario, cluster, { say: sayOfIt, signal });
      results.push(result);
      if (options.json !== true) process.stdout.write(`\n${report(result)}\n\n`);
      for (const one of shortcomings(result)) sayOfIt(`NOT HELD: ${one}`);
    }
    return { kubernetes: cluster.kubernetes, kernel: kernel(), scenarios: results };
  } finally {
    await cluster.down();
  }
}

function publish(proof: Proof, { json, write }: Options): void {
  if (json === true) process.stdout.write(`${JSON.stringify(proof, undefined, 2)}\n`);
  if (write === true) writeFileSync(join(repository, 'docs/proof.md'), page(proof));
}

/** The number alone: what follows it is the builder's. */
function kernel(): string {
  return /^[0-9.]+/.exec(release())?.[0] ?? release();
}

function report(result: Result): string {
  return [table(result), ...(result.advice === undefined ? [] : [result.advice])].join('\n\n');
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
