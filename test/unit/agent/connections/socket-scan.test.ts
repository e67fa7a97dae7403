import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { SocketScan } from '../../../../src/agent/connections/socket-scan.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';

let procRoot: string;
beforeEach(() => {
  procRoot = mkdtempSync(join(tmpdir(), 'proc-'));
});
afterEach(() => rmSync(procRoot, { recursive: true }));

test('going through all processes of the node is charged to the places that it is done for, in equal parts', () => {
  const processes = 100;
  for (let pid = 1; pid <= processes; pid += 1) {
    mkdirSync(join(procRoot, String(pid)));
    writeFileSync(join(procRoot, String(pid), 'cgroup'), '0::/system.slice\n');
  }
  mkdirSync(join(procRoot, '1/ns'));
  for (const kind of ['net', 'pid']) writeFileSync(join(procRoot, '1/ns', kind), '');
  let spentMs = 0;
  const scan = new SocketScan({
    ...{ procRoot, diary: { begin: () => undefined, touch: () => undefined } },
    spentMs: () => spentMs,
  });
  const targets = ['one', 'other'].map((name) => ({
    ...{ place: placeOfPod(name), wanted: undefined, timeouts: [90] },
    ...{ everySocket: true, avoid: [] },
  }));
  const costs = [];
  for (const looked of scan.look({ targets, hostPods: new Set(), pods: new Map() })) {
    // Each step of it takes a millisecond.
    if (looked === undefined) spentMs += 1;
    else costs.push(looked.cpuMs);
  }
  expect(costs).toEqual([processes / 2, processes / 2]);
});
