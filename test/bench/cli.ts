/** npm run -s bench -- [NAME…] [--json]: each bench beside its alternative, in one run. */
import { Command } from 'commander';

import { admission } from './admission.ts';
import { rest } from './agent-rest.ts';
import { agent } from './agent.ts';
import { controller } from './controller.ts';
import { fold } from './fold.ts';
import { neighbours } from './neighbour.ts';
import { policyReady } from './policy-ready.ts';
import { crowds } from './crowds.ts';
import type { Bench, BenchOptions, Result } from './result.ts';
import { table } from './result.ts';
import { scale } from './scale.ts';
import { sockets } from './sockets.ts';
import { tool } from './tool.ts';

const benches: Readonly<Record<string, Bench>> = {
  admission,
  ready: policyReady,
  controller,
  fold,
  scale,
  agent,
  rest,
  sockets,
  crowds,
  neighbours,
  cli: tool,
};

const program = new Command('bench')
  .description('Measure what is promised. Without a name, all of it.')
  .argument('[name...]', `one of ${Object.keys(benches).join(', ')}`)
  .option('--json', 'print the figures as JSON')
  .option('--nodes <count>', 'of scale: nodes; 500 unless told otherwise', Number)
  .option('--pods <count>', 'of scale: pods; 10000 unless told otherwise', Number)
  .option(
    '--policies <count>',
    'of scale: policies, one in eleven of the cluster; 120 unless told otherwise',
    Number,
  )
  .action(async (names: string[], { json = false, ...options }: BenchOptions & { json?: boolean }) => {
    const unknown = names.filter((name) => !(name in benches));
    if (unknown.length > 0)
      program.error(`there is no bench ${unknown.join(', ')}: choose of ${Object.keys(benches).join(', ')}`);
    const results: Result[] = [];
    for (const [name, bench] of Object.entries(benches)) {
      if (names.length > 0 && !names.includes(name)) continue;
      for (const result of await bench((text) => process.stderr.write(`${name}: ${text}\n`), options)) {
        results.push(result);
        if (!json) process.stdout.write(`${table(result)}\n\n`);
      }
    }
    if (json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
