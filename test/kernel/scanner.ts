/**
 * Runs inside a machine of a test, where processes are numbered as that machine numbers them: a request a line in,
 * the readings of a whole look, and what it took, a line out.
 */
import { createInterface } from 'node:readline';

import type { SocketReading } from '../../src/policy/connection.ts';
import { SocketScan } from '../../src/agent/connections/socket-scan.ts';
import type { LookWire } from './wire.ts';
import { requestOf } from './wire.ts';

export interface Scanned {
  readonly readings: readonly SocketReading[];
  readonly cpuMs: number;
  /** The longest time between two steps, by the clock. */
  readonly longestStepMs: number;
  readonly residentMiB: number;
}

const [most, threads] = process.argv.slice(2);
const openThread = () => {
  throw Object.assign(new Error('as before Linux 6.9'), { code: 'EINVAL' });
};
const scan = new SocketScan({
  ...{ procRoot: '/proc', diary: { begin: () => undefined, touch: () => undefined } },
  longestLookMs: Infinity,
  ...(most === undefined ? {} : { mostDescriptors: Number(most) }),
  ...(threads === 'not opened' ? { openThread } : {}),
});
for await (const line of createInterface({ input: process.stdin })) {
  const asked = requestOf(JSON.parse(line) as LookWire);
  const before = process.cpuUsage();
  const request = { ...asked, targets: asked.targets.map((target) => ({ ...target, avoid: [] })) };
  const readings: SocketReading[] = [];
  let longestStepMs = 0;
  let stepFromMs = performance.now();
  for (const looked of scan.look(request)) {
    longestStepMs = Math.max(longestStepMs, performance.now() - stepFromMs);
    stepFromMs = performance.now();
    if (looked !== undefined) readings.push(looked.reading);
  }
  const { user, system } = process.cpuUsage(before);
  const residentMiB = process.memoryUsage.rss() / 2 ** 20;
  const scanned: Scanned = { readings, cpuMs: (user + system) / 1000, longestStepMs, residentMiB };
  process.stdout.write(`${JSON.stringify(scanned)}\n`);
}
