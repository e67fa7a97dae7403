/**
 * Runs inside a machine of a test, where processes are numbered as that machine numbers them: a request a line in,
 * the readings of a whole scan a line out.
 */
import { createInterface } from 'node:readline';

import type { ScanRequest } from '../../src/agent/socket-scan.ts';
import { SocketScan } from '../../src/agent/socket-scan.ts';

type Wire = Omit<ScanRequest, 'hostPods'> & { readonly hostPods: readonly string[] };

const scan = new SocketScan('/proc');
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Wire;
  scan.begin({ ...request, hostPods: new Set(request.hostPods) });
  let readings = scan.proceed(1);
  while (readings === undefined) readings = scan.proceed(1);
  process.stdout.write(`${JSON.stringify(readings)}\n`);
}
