import { join } from 'node:path';

import type { Diagnosed } from '../../src/cli/diagnosis.ts';
import type { Output } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import type { Bench } from './shared.ts';

export const tool = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  join(repository, 'src/cli/main.ts'),
];

/** The tool as a person beside the cluster runs it, with its kubeconfig. */
export function toolBeside(bench: Bench) {
  const keepalive = (...argv: string[]): Promise<Output> => bench.cluster.exec([...tool, ...argv]);
  const doctor = async () => {
    const { stdout, code } = await keepalive('doctor', '-o', 'json');
    return { code, wrong: (JSON.parse(stdout) as Diagnosed[]).filter(({ is }) => is === 'wrong') };
  };
  return { keepalive, doctor };
}
