/**
 * Runs inside a machine of a test, where processes are numbered as that machine numbers them: a request a line in,
 * the readings of a whole scan, and what it took, a line out.
 */
import { createInterface } from 'node:readline';

import type { SocketReading } from '../../src/policy/connection.ts';
import type { PodPlace } from '../../src/policy/place.ts';
import { HOST } from '../../src/policy/place.ts';
import type { ScanRequest } from '../../src/agent/socket-scan.ts';
import { SocketScan } from '../../src/agent/socket-scan.ts';

export interface Scanned {
  readonly readings: readonly SocketReading[];
  readonly cpuMs: number;
  readonly steps: number;
}

/** As the agent's thread has it. */
const stepMs = 5;

/** Each pod stands in the control group of its own uid. */
type Wire = Omit<ScanRequest, 'hostPods' | 'pods'> & { readonly hostPods: readonly PodPlace[] };

const scan = new SocketScan('/proc');
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Wire;
  const before = process.cpuUsage();
  const pods = new Map(
    request.targets.flatMap(({ place }) =>
      place === HOST
        ? []
        : [[place, { name: place, group: place.slice('pod/'.length), containers: [] }] as const],
    ),
  );
  scan.begin({ ...request, hostPods: new Set(request.hostPods), pods });
  let steps = 1;
  let readings = scan.proceed(stepMs);
  for (; readings === undefined; steps += 1) readings = scan.proceed(stepMs);
  const { user, system } = process.cpuUsage(before);
  const scanned: Scanned = { readings, cpuMs: (user + system) / 1000, steps };
  process.stdout.write(`${JSON.stringify(scanned)}\n`);
}
