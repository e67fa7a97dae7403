import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { processes, statFieldsOf } from '../cluster/process.ts';
import type { Row } from './result.ts';

/** Over which a share of a core is taken. */
export const measuredSeconds = 60;
const ticksPerSecond = 100;

/** Of a process: its share of a core over that time, with all that it started, and its own memory at the end. */
export async function figuresOver(pid: number, seconds = measuredSeconds): Promise<Row['figures']> {
  const before = ticksOf(pid);
  const startedAt = performance.now();
  await delay(seconds * 1000);
  const tookSeconds = (performance.now() - startedAt) / 1000;
  const share = (ticksOf(pid) - before) / ticksPerSecond / tookSeconds;
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

/** Fields 14 to 17 of stat: what all its threads took of the processors, and the processes that it has waited for; and those that live. */
function ticksOf(pid: number): number {
  // Before its own: of one that ends in between, it is told among those that were waited for.
  const ofChildren = processes()
    .filter(({ parent }) => parent === pid)
    .map((child) => ticksOf(child.pid));
  const own = statFieldsOf(pid)?.slice(11, 15).map(Number) ?? [];
  return [...own, ...ofChildren].reduce((sum, ticks) => sum + ticks, 0);
}
