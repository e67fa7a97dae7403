import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { provide } from '../cluster/prepare.ts';
import { prometheus } from '../cluster/program.ts';

/** Builds Prometheus and promtool where they are not built yet. */
export const buildPrometheus = () => provide({ programs: [prometheus()] }, undefined);

/** The path of one of the two. */
export const monitoringProgram = (name: 'prometheus' | 'promtool') => join(prometheus().place, name);

/** What promtool says; throws where it finds fault. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(monitoringProgram('promtool'), args).catch(
    (error: unknown) => {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error });
    },
  );
  return stdout;
}
