/**
 * What the agent makes of a kernel that counts and sweeps connections, on the kernel this runs on: its own thread and process, and pods that
 * are processes in networks and control groups of their own. It says what it saw, a line of JSON each: `{"saw": WHAT, "as": VALUE}`.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { Connections } from '../../src/agent/connections/connections.ts';
import { KernelLink } from '../../src/agent/kernel-link.ts';
import { SocketLink } from '../../src/agent/connections/socket-link.ts';
import { createAgentMetrics } from '../../src/ops/agent-metrics.ts';
import { createLog } from '../../src/ops/log.ts';

import type { SocketReading } from '../../src/policy/connection.ts';
import type { NodePod } from '../../src/policy/node-pod.ts';
import { nodePod } from '../../src/policy/node-pod.ts';
import { identitiesOf } from '../../src/policy/selection.ts';
import { until } from '../cluster/wait.ts';
import { asking, rawPod, selectedBy, team } from '../support/builder.ts';

const [folder = ''] = process.argv.slice(2);
const talker = join(folder, 'talker.mjs');
const peculiar = join(folder, 'peculiar');
/**
 * The kernel answers no probe on a socket that is held, so that its other end gives up by its values: after this long, or after
 * so long that it outlives two looks in emulation.
 */
const seconds = 10;
const longer = 600;
const port = '7000';
const patience = { timeoutMs: 120_000, everyMs: 50 };
/** A sweep that merely waits for a processor is not to be taken for one that hangs: what it repaired would not be counted. */
const hangsAfterMs = 15_000;
const children: ChildProcess[] = [];

function say(saw: string, as: unknown): void {
  process.stdout.write(`${JSON.stringify({ saw, as })}\n`);
}

function podOf(name: string, digit: string): NodePod {
  const raw = rawPod({ name });
  const uid = `00000000-0000-4000-8000-00000000000${digit}`;
  return nodePod({ ...raw, metadata: { ...raw.metadata, uid } });
}

/** In the network of this process, or in a new one that it makes. */
async function begin(pod: NodePod, argv: readonly string[], inside?: ChildProcess): Promise<ChildProcess> {
  const group = join('/sys/fs/cgroup/kubepods/besteffort', `pod${pod.uid}`, 'c'.repeat(64));
  mkdirSync(group, { recursive: true });
  const enter =
    inside === undefined
      ? 'exec unshare --net sh -c \'ip link set lo up; ip addr add 10.8.0.1/32 dev lo; exec "$@"\' sh "$@"'
      : `exec nsenter --net=/proc/${inside.pid}/ns/net "$@"`;
  const child = spawn('sh', ['-c', `echo $$ > ${group}/cgroup.procs; ${enter}`, 'sh', ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await lineOf(child);
  return child;
}

async function lineOf(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('it says nothing');
  const lines = createInterface({ input: child.stdout });
  await new Promise((resolve, reject) => lines.once('line', resolve).once('close', reject));
  lines.removeAllListeners();
}

const talk = (...args: string[]) => [process.execPath, talker, ...args];
const serving = (pod: NodePod) => begin(pod, talk('serve', '10.8.0.1', port));
const connecting = (pod: NodePod, inside: ChildProcess, count: number) =>
  begin(pod, talk('connect', '10.8.0.1', port, String(count), 'deaf'), inside);

const one = podOf('one', '1');
const held = podOf('held', '2');
const server = await serving(one);
const client = await connecting(one, server, 3);

const log = createLog({ level: 'silent', base: {} });
const metrics = createAgentMetrics({ version: 'test', places: () => 0, reflectors: () => [] });
const kernel = new KernelLink({
  ...{ procRoot: '/proc', ledgerFile: '/run/keepalive/ledger', objectFile: join(folder, 'keepalive.bpf.o') },
});
const link = new SocketLink({ procRoot: '/proc', log, patienceMs: hangsAfterMs });
const connections = new Connections({
  ...{ link, kernel, log, metrics, countMs: 3000, onCounted: () => undefined },
});
await kernel.reached;

const repair = [seconds, { openConnections: 'Repair' }] as const;
const observe = [seconds, { openConnections: 'Observe' }] as const;
const repairLonger = [longer, { openConnections: 'Repair' }] as const;
type Policy = typeof repair | typeof observe | typeof repairLonger;
async function follow([timeout, mode]: Policy, ...pods: readonly NodePod[]): Promise<void> {
  const selections = selectedBy([team(timeout, mode)], pods);
  const visits = pods.map(({ place }) => ({ place, wanted: asking(timeout), anew: false, asked: true }));
  await kernel.visit(visits, identitiesOf(selections));
  connections.follow(selections, new Set());
}

const readingOf = ({ place }: NodePod) => connections.sockets?.get(place);
const countsOf = (reading: SocketReading | undefined) =>
  reading?.byTimeout[seconds] ?? reading?.byTimeout[longer];
async function untilSeen(
  what: string,
  pod: NodePod,
  isThere: (reading: SocketReading) => boolean,
): Promise<SocketReading> {
  return until(
    what,
    () => {
      const reading = readingOf(pod);
      return reading !== undefined && isThere(reading) ? reading : false;
    },
    patience,
  );
}
const stand = (reading: SocketReading) => {
  const { protected: guarded, exposed } = countsOf(reading) ?? {};
  return [guarded, exposed];
};
const valueOf = async (metric: {
  get: () => Promise<{ values: { value: number; metricName?: string }[] }>;
}) =>
  (await metric.get()).values.filter(({ metricName = '' }) => !/_(sum|bucket)$/.test(metricName)).at(-1)
    ?.value ?? 0;

say('means', kernel.reach?.means);
await follow(repair, one);
const isGuarded = (count: number) => (reading: SocketReading) => countsOf(reading)?.protected === count;
say('what was open, both ends', stand(await untilSeen('they are repaired', one, isGuarded(6))));
say('looks at descriptors', await valueOf(metrics.scans));
say('repaired', await valueOf(metrics.sockets));

client.stdin?.write('deaf\n');
await lineOf(client);
await until('they are repaired again', async () => (await valueOf(metrics.sockets)) >= 9, patience);
say('loosened, and repaired', stand(await untilSeen('it is told', one, isGuarded(6))));
say('looks at descriptors then', await valueOf(metrics.scans));

await follow(observe, one);
await connecting(one, server, 2);
const named = await untilSeen(
  'the program is named',
  one,
  (reading) => (countsOf(reading)?.worst[0]?.program ?? '') !== '',
);
say('not to be repaired', [countsOf(named)?.exposed, countsOf(named)?.worst[0]?.exposure]);
await follow(repair, one);
say('to be repaired', stand(await untilSeen('they are repaired', one, isGuarded(10))));
await until('the kernel looks after them', async () => {
  const before = await valueOf(metrics.scans);
  await new Promise((resolve) => setTimeout(resolve, 2 * 3000));
  return (await valueOf(metrics.scans)) === before;
});

const heldServer = await serving(held);
await connecting(held, heldServer, 2);
const holder = await begin(held, [peculiar, 'held', '10.8.0.1', port, '3'], heldServer);
await follow(repairLonger, one, held);
const hung = await untilSeen(
  'the one that hangs is told, and the rest of that pod',
  held,
  (reading) => reading.leftOut.Hangs !== undefined && isGuarded(9)(reading),
);
say('where one is held', [stand(hung), hung.leftOut]);
say('elsewhere', stand(await untilSeen('they are told', one, isGuarded(10))));
holder.stdin?.write('let go\n');
await lineOf(holder);
const free = await untilSeen('all is told', held, isGuarded(10));
say('once it is let go', stand(free));
say('hangs', await valueOf(metrics.hangs));

await connections.stop();
await kernel.restoreAll();
await kernel.removeConnections();
await kernel.close();
for (const child of children) child.kill('SIGKILL');
