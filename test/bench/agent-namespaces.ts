import { Namespaces } from '../../src/agent/namespaces.ts';
import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import type { KeepaliveFiles } from '../../src/kernel/keepalive-files.ts';
import type { Triple } from '../../src/api/triple.ts';
import type { Requirement } from '../../src/policy/requirement.ts';
import { valuesFor } from '../../src/policy/requirement.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import type { Host } from '../cluster/host.ts';
import { Machine } from '../kernel/machine.ts';
import { behind } from '../support/builder.ts';
import type { Result, Row } from './result.ts';
import { percentile } from './result.ts';

const rounds = 60;
const warmUp = 5;
/** The loop of shell commands is a hundred times slower: fewer of its rounds say as much. */
const roundsOfLoop = 3;

interface Sandbox {
  readonly uid: string;
  readonly pid: number;
}

/** In turn, so that every round writes all three values. */
const asked: readonly Requirement[] = [behind(90), behind(60, { probes: 5 })];
const askedIn = (round: number): Requirement => asked[Math.abs(round) % 2] as Requirement;
const wishOf = (round: number): Triple => valuesFor(askedIn(round));

/** What one network namespace costs: of the kernel alone, with the ledger, and as a script would do it. */
export async function namespaceCosts(size: number, say: (text: string) => void): Promise<Result> {
  say(`${size} network namespaces`);
  const machine = await Machine.start();
  const kernel = machine.agent();
  const found = new Namespaces(machine.procRoot);
  try {
    const sandboxes = await machine.crowd(size);
    const firstVisit = visitAll({ kernel, machine }, sandboxes, warmUp);
    found.open({ places: sandboxes.map(({ uid }) => placeOfPod(uid)), pods: machine.pods });
    const files = sandboxes.map(({ uid }) => filesOf(found, uid));
    const times = inTurn({
      // What is there already: another hand that changed it would be put right, and left alone after a while.
      'read, written, read back': (round) => writeAll(files, wishOf(round)),
      'the same by the agent, which decides and notes it on the node first': (round) =>
        visitAll({ kernel, machine }, sandboxes, round + 1),
      'looked at by the agent, nothing to do': (round) => visitAll({ kernel, machine }, sandboxes, round + 1),
    });
    const loop: number[] = [];
    for (let round = 0; round < roundsOfLoop; round += 1)
      loop.push(await loopOver(machine.host, sandboxes, wishOf(round)));
    const row = (what: string, ms: readonly number[]): Row => ({
      what,
      figures: {
        'p50 µs': (percentile(ms, 50) * 1000) / size,
        'p95 µs': (percentile(ms, 95) * 1000) / size,
        rounds: ms.length,
      },
    });
    return {
      bench: 'agent',
      setting: `one network namespace of ${size}, all of them visited in each round; the loop is a shell that runs nsenter and sysctl, once to write and once to read back`,
      rows: [
        ...[...times].map(([what, ms]) => row(what, ms)),
        row('the first visit: found through proc, entered, opened, written', [firstVisit]),
        row('nsenter … sysctl -w, nsenter … sysctl -n', loop),
      ],
    };
  } finally {
    kernel.close();
    found.closeAll();
    await machine.stop();
  }
}

/** Milliseconds of each round; the rows take turns, so that a slow moment of the machine falls on all of them. */
function inTurn(rows: Readonly<Record<string, (round: number) => number>>): Map<string, number[]> {
  const times = new Map(Object.keys(rows).map((what) => [what, [] as number[]]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [what, run] of Object.entries(rows)) {
      const ms = run(round);
      if (round >= 0) times.get(what)?.push(ms);
    }
  }
  return times;
}

function visitAll(
  { kernel, machine }: { kernel: NodeKernel; machine: Machine },
  sandboxes: readonly Sandbox[],
  round: number,
): number {
  const wanted = { asked: askedIn(round), hold: false };
  const visits = sandboxes.map(({ uid }) => ({ place: placeOfPod(uid), wanted, anew: false, asked: true }));
  const startedAt = performance.now();
  const readings = kernel.visit(visits, machine.pods);
  const ms = performance.now() - startedAt;
  for (const { now } of readings) requireHeld(now, wishOf(round));
  return ms;
}

function writeAll(files: readonly KeepaliveFiles[], wanted: Triple): number {
  const startedAt = performance.now();
  for (const one of files) {
    one.read();
    one.write(wanted);
    requireHeld(one.read().values, wanted);
  }
  return performance.now() - startedAt;
}

function requireHeld(now: Partial<Triple>, wanted: Triple): void {
  if (shown(now) !== shown(wanted))
    throw new Error(
      `a namespace holds ${shown(now)} instead of ${shown(wanted)}: the figures would say nothing`,
    );
}

function shown({ timeSeconds, intervalSeconds, probes }: Partial<Triple>): string {
  return `${timeSeconds}/${intervalSeconds}/${probes}`;
}

function filesOf(found: Namespaces, uid: string): KeepaliveFiles {
  const namespace = found.get(placeOfPod(uid));
  if (namespace === undefined) throw new Error(`no network namespace found of pod ${uid}`);
  return namespace.files;
}

/** As a DaemonSet that is a shell script does it. */
async function loopOver(host: Host, sandboxes: readonly Sandbox[], wanted: Triple): Promise<number> {
  const keys = ['time', 'intvl', 'probes'].map((name) => `net.ipv4.tcp_keepalive_${name}`);
  const values = [wanted.timeSeconds, wanted.intervalSeconds, wanted.probes];
  const writes = keys.map((key, at) => `${key}=${values[at]}`).join(' ');
  const script = `set -e
    while read -r pid; do
      nsenter -t "$pid" -n sysctl -qw ${writes}
      nsenter -t "$pid" -n sysctl -n ${keys.join(' ')}
    done`;
  const stdin = sandboxes.map(({ pid }) => `${pid}\n`).join('');
  const startedAt = performance.now();
  const printed = await host.execOrThrow(['sh', '-c', script], { stdin, cwd: '/' });
  const ms = performance.now() - startedAt;
  const expected = sandboxes.map(() => values.join('\n')).join('\n');
  if (printed.trim() !== expected) throw new Error('the loop did not read what it wrote');
  return ms;
}
