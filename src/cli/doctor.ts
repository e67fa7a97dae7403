import { Command, Option } from 'commander';

import type { ClusterOptions } from './cluster-option.ts';
import { addClusterOptions } from './cluster-option.ts';
import type { DiagnosisFormat } from './doctor-output.ts';
import { formatNames } from './format.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, exitCodes } from './terminal.ts';

interface Options extends ClusterOptions {
  readonly output: DiagnosisFormat;
}

const examples = `
Examples:
  keepalive doctor                                           everything, what is wrong first
  keepalive doctor -o json | jq '.[] | select(.is=="wrong")'
  keepalive doctor --context staging                         another cluster
`;

export function doctorCommand(terminal: Terminal, version: string): Command {
  const command = new Command('doctor')
    .summary('what keeps the product from working in this cluster, each with the fix')
    .description(
      'Looks for everything that keeps the product from working in this cluster: versions, definitions, admission, controller and agents, ' +
        'what Pod Security, OpenShift and Kyverno refuse, settings, clocks. Each finding comes with its fix. It changes nothing, and ' +
        'a check that you may not make is told as unknown. ' +
        'Exit codes: 0 all of it is fine, 1 something is to be mended, 2 called wrongly, or not everything could be looked at.',
    );
  return addClusterOptions(command)
    .addOption(
      new Option('-o, --output <format>', 'how to write it').choices(formatNames.diagnosis).default('text'),
    )
    .addHelpText('after', examples)
    .action((options: Options) => doctor(options, terminal, version));
}

async function doctor(options: Options, terminal: Terminal, version: string): Promise<void> {
  const [{ openCluster }, { doctorFacts }, { diagnose }, { diagnosisWriters }] = await Promise.all([
    import('./cluster.ts'),
    import('./doctor-facts.ts'),
    import('./diagnosis.ts'),
    import('./doctor-output.ts'),
  ]);
  const cluster = await openCluster(options, version);
  try {
    const diagnosed = diagnose(await doctorFacts(cluster, version));
    terminal.out(
      diagnosisWriters[options.output](diagnosed, { style: terminal.style, where: cluster.where }),
    );
    if (diagnosed.some(({ is }) => is === 'wrong')) throw new CommandError('', exitCodes.found);
    if (diagnosed.some(({ is }) => is === 'unknown')) throw new CommandError('', exitCodes.wrong);
  } finally {
    await cluster.client.close();
  }
}
