/**
 * What open connections of 250 pods cost by the kernel's own way, by descriptors and by `ss`, in a guest whose kernel does all of it: a
 * line of JSON for each row, `{"saw": WHAT, "as": FIGURES}`.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SocketScan } from '../../src/agent/connections/socket-scan.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { identitiesOf } from '../kernel/wire.ts';
import { behind } from '../support/builder.ts';
import { kernelSockets } from './kernel-sockets.ts';
import { perSocket } from './result.ts';

const [objectFile = '', idle = ''] = process.argv.slice(2);
const pods = 250;
const connections = 20;
const socketCount = pods * connections * 2;
const rounds = 5;
const idleTimeoutSeconds = 90;

interface Pod {
  readonly uid: string;
  readonly pid: number;
  readonly child: ChildProcess;
}

/** A process with its connections in a network and a control group of its own, as a pod has them. */
async function startPod(): Promise<Pod> {
  const uid = randomUUID();
  const group = join('/sys/fs/cgroup/kubepods/besteffort', `pod${uid}`, 'c'.repeat(64));
  mkdirSync(group, { recursive: true });
  const script = `echo 0 > ${group}/cgroup.procs; exec unshare --net sh -c '
    ip link set lo up; ip addr add 10.9.0.1/32 dev lo; exec ${idle} hold 10.9.0.1 7000 ${connections}'`;
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return { uid, pid: child.pid ?? NaN, child };
}

async function startPods(): Promise<Pod[]> {
  const crowd: Pod[] = [];
  for (let at = 0; at < pods; at += 1) crowd.push(await startPod());
  return crowd;
}

async function end(crowd: readonly Pod[]): Promise<void> {
  for (const { child } of crowd) {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }
}

function say(saw: string, as: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify({ saw, as })}\n`);
}

function sayRow(what: string, ms: readonly number[]): void {
  say(what, perSocket(what, ms, socketCount).figures);
}

const first = await startPods();
const rows = await kernelSockets({
  ...{ objectFile, procRoot: '/proc', pinFolder: '/sys/fs/bpf/keepalive', crowd: first },
  ...{ socketCount, rounds, idleTimeoutSeconds, say: () => undefined },
});
for (const { what, figures } of rows) say(what, figures);
await end(first);

/** Nothing there has its values yet. */
const second = await startPods();
const scan = new SocketScan({
  ...{ procRoot: '/proc', diary: { begin: () => undefined, touch: () => undefined } },
  longestLookMs: Infinity,
});
const targets = second.map(({ uid }) => ({
  ...{ place: placeOfPod(uid), wanted: behind(idleTimeoutSeconds), timeouts: [idleTimeoutSeconds] },
  ...{ everySocket: true, avoid: [] },
}));
const request = { targets, hostPods: new Set<never>(), pods: identitiesOf(targets) };
function look(): number {
  const before = process.cpuUsage();
  let met = 0;
  for (const looked of scan.look(request))
    met += looked?.reading.byTimeout[idleTimeoutSeconds]?.established ?? 0;
  if (met !== socketCount) throw new Error(`${met} were looked at instead of ${socketCount}`);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
sayRow('descriptors: repaired at first sight, all of them', [look()]);
sayRow(
  'descriptors: every socket looked at and counted',
  Array.from({ length: rounds }, () => look()),
);

const script = second.map(({ pid }) => `nsenter -t ${pid} -n ss -tnoH state established`).join('\n');
writeFileSync('/tmp-ss', script);
function loopOverSs(): number {
  const startedAt = performance.now();
  const told = execFileSync('sh', ['/tmp-ss'], { encoding: 'utf8' }).trim().split('\n').length;
  const took = performance.now() - startedAt;
  if (told !== socketCount) throw new Error(`ss told ${told} instead of ${socketCount}`);
  return took;
}
sayRow('nsenter … ss -tno in each namespace, by the clock', [loopOverSs(), loopOverSs()]);
await end(second);
