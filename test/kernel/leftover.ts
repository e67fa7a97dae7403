import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { tryRemove } from '../cluster/cgroups.ts';
import { isAlive, self } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import { hierarchy } from './sandbox.ts';

const prefix = 'keepalive-kernel-';

/** A new folder for a machine, and the name of its control groups: both say whose they are, so that neither needs the other to be told. */
export function ownFolder(): string {
  const { pid, started } = self();
  return mkdtempSync(join(tmpdir(), `${prefix}${pid}-${started}-`));
}

/** Removes what tests left that were interrupted; what has no maker in its name is not known to be a test's. */
export async function clearLeftovers(): Promise<void> {
  const leftIn = (folder: string) =>
    readdirSync(folder)
      .filter(isLeftover)
      .map((name) => join(folder, name));
  for (const group of leftIn(hierarchy))
    await until(`the control group ${group} is empty`, () => tryRemove(group));
  for (const folder of leftIn(tmpdir())) rmSync(folder, { recursive: true, force: true });
}

function isLeftover(name: string): boolean {
  const [, pid, started = ''] = new RegExp(`^${prefix}(\\d+)-(\\d+)-`).exec(name) ?? [];
  return pid !== undefined && !isAlive({ pid: Number(pid), started });
}
