import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import type { Row } from './result.ts';

/** Over which a share of a core is taken. */
export const measuredSeconds = 60;
const ticksPerSecond = 100;

/** Of a process: its share of a core over that time, and its memory at the end. */
export async function figuresOver(pid: number): Promise<Row['figures']> {
  const before = ticksOf(pid);
  const startedAt = performance.now();
  await delay(measuredSeconds * 1000);
  const seconds = (performance.now() - startedAt) / 1000;
  const share = (ticksOf(pid) - before) / ticksPerSecond / seconds;
  return { ...memoryOf(pid), '% of a core': share * 100 };
}

export function memoryOf(pid: number): Row['figures'] {
  return memoryIn(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** Of a process, in the words of its file `status`. */
export function memoryIn(status: string): Row['figures'] {
  const mib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { 'RSS MiB': mib('VmRSS'), 'anonymous MiB': mib('RssAnon'), 'peak RSS MiB': mib('VmHWM') };
}

/** Fields 14 and 15 of stat: what all its threads took of the processors. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
