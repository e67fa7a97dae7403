import { join } from 'node:path';

import { compileConnectionProgram } from '../../scripts/connection-program.ts';
import { seenInGuest } from '../kernel/kernel-guest.ts';
import { procRootOf } from '../kernel/sandbox.ts';
import { Machine } from '../kernel/machine.ts';
import { Scanner } from '../kernel/scanning.ts';
import { kernelImage } from '../cluster/kernel-image.ts';
import { prepare, provide } from '../cluster/prepare.ts';
import { scanPeriodSeconds } from '../../src/policy/socket-target.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { behind } from '../support/builder.ts';
import { agentWithConnections } from './agent-connections.ts';
import { hold, sandboxesIn } from './held-connections.ts';
import { kernelSockets } from './kernel-sockets.ts';
import type { Bench, Result, Row } from './result.ts';
import { percentile, perSocket } from './result.ts';

const pods = 250;
interface Size {
  /** Of each pod, which has both ends of each. */
  readonly connections: number;
  readonly rounds: number;
}

/** 1,000 sockets, where a network has few; 10,000, and 100,000. */
const sizes: readonly Size[] = [
  { connections: 2, rounds: 20 },
  { connections: 20, rounds: 20 },
  { connections: 200, rounds: 5 },
];
const timeoutSeconds = 90;
/** The agent counts every socket so often (COUNT_SECONDS), and looks for new ones in between. */
const countSeconds = 60;

/** What looking at open connections costs, and giving them keepalive: by descriptors, inside the kernel, and beside `ss` in each network namespace. */
export const sockets: Bench = async (say) => {
  await prepare({ kubernetes: undefined });
  const results: Result[] = [];
  for (const size of sizes) results.push(await measure(size, say));
  return [...results, await measureInGuest(say), ...(await agentWithConnections(say))];
};

/** All of it on a kernel that counts, which that of whoever runs this may refuse to: under emulation, so that the rows are for comparing with each other alone. */
async function measureInGuest(say: (text: string) => void): Promise<Result> {
  say('the same on a kernel of Debian 13, under emulation');
  const kernel = kernelImage({ suite: 'trixie' });
  await provide({ parts: [kernel] }, undefined);
  const seen = await seenInGuest('figures', { kernel: kernel.file });
  const rows = [...seen].map(([what, figures]) => ({ what, figures: figures as Row['figures'] }));
  if (rows.length === 0) throw new Error('the guest measured nothing');
  return {
    bench: 'sockets',
    setting:
      'a guest with the kernel of Debian 13 and one processor, under emulation: 250 pods, 10,000 sockets and 250 that listen; milliseconds of its processor',
    rows,
  };
}

async function measure({ connections, rounds }: Size, say: (text: string) => void): Promise<Result> {
  const socketCount = pods * connections * 2;
  const machine = await Machine.start();
  try {
    say(`${pods} pods with ${socketCount} sockets`);
    const crowd = await machine.crowd(pods);
    await hold(machine.host, sandboxesIn(machine, crowd), { connections });
    const wanted = behind(timeoutSeconds);
    const targetsFor = (everySocket: boolean) =>
      crowd.map(({ uid }) => ({
        ...{ place: placeOfPod(uid), wanted, timeouts: [timeoutSeconds], everySocket },
      }));
    const [all, fresh] = [targetsFor(true), targetsFor(false)];
    const scanner = new Scanner(machine);
    say('repairing all of them');
    const repaired = await scanner.look(all);
    requireSockets(
      repaired.readings.reduce((sum, one) => sum + one.repaired, 0),
      socketCount + pods,
    );
    say('scanning');
    const counts: number[] = [];
    const looks: number[] = [];
    let longestStepMs = repaired.longestStepMs;
    for (let round = 0; round < rounds; round += 1) {
      const counted = await scanner.look(all);
      counts.push(counted.cpuMs);
      longestStepMs = Math.max(longestStepMs, counted.longestStepMs);
      looks.push((await scanner.look(fresh)).cpuMs);
    }
    const inKernel = await kernelRows({ connections, rounds }, say);
    say('ss');
    const theirs = await loopOverSs(machine, crowd, socketCount);
    const period = scanPeriodSeconds(all) ?? NaN;
    const share = shareOf({ count: percentile(counts, 50), look: percentile(looks, 50), period });
    return {
      bench: 'sockets',
      setting: `${pods} pods, ${socketCount} sockets and ${pods} that listen, behind ${timeoutSeconds} s: new ones are looked for every ${period} s, all are counted every ${countSeconds} s; milliseconds of a core`,
      rows: [
        perSocket('repaired at first sight, all of them', [repaired.cpuMs], socketCount + pods),
        perSocket('every socket looked at and counted', counts, socketCount + pods),
        perSocket('new ones looked for, none there', looks, socketCount + pods),
        { what: 'steady, of a core', figures: { '%': share } },
        { what: 'the longest step', figures: { ms: longestStepMs } },
        ...inKernel,
        perSocket('nsenter … ss -tno in each namespace', theirs, socketCount),
      ],
    };
  } finally {
    await machine.stop();
  }
}

/** On a machine of its own: nothing there has its values yet. */
async function kernelRows({ connections, rounds }: Size, say: (text: string) => void): Promise<Row[]> {
  const machine = await Machine.start();
  try {
    const crowd = await machine.crowd(pods);
    await hold(machine.host, sandboxesIn(machine, crowd), { connections });
    await machine.mountBpf();
    const objectFile = join(machine.folder, 'keepalive.bpf.o');
    compileConnectionProgram(objectFile);
    const procRoot = procRootOf(machine.host);
    return await kernelSockets({
      ...{ objectFile, procRoot, pinFolder: join(procRoot, '1/root/run/bpf/keepalive') },
      ...{ crowd, socketCount: pods * connections * 2, rounds, say },
      idleTimeoutSeconds: timeoutSeconds,
    });
  } finally {
    await machine.stop();
  }
}

/** Per cent: within a minute one count, and a look in every other period. */
function shareOf({ count, look, period }: { count: number; look: number; period: number }): number {
  const looks = countSeconds / period - 1;
  return ((count + looks * look) / (countSeconds * 1000)) * 100;
}

export function requireSockets(seen: number, expected: number): void {
  if (seen !== expected)
    throw new Error(`${seen} sockets instead of ${expected}: the figures would say nothing`);
}

/** As a script would do it, by the clock: what it starts is not ours to account for. */
async function loopOverSs(
  machine: Machine,
  crowd: readonly { pid: number }[],
  socketCount: number,
): Promise<number[]> {
  const script = `while read -r pid; do nsenter -t "$pid" -n ss -tnoH state established; done | wc -l`;
  const stdin = crowd.map(({ pid }) => `${pid}\n`).join('');
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const startedAt = performance.now();
    const printed = await machine.host.execOrThrow(['sh', '-c', script], { stdin, cwd: '/' });
    times.push(performance.now() - startedAt);
    requireSockets(Number(printed), socketCount);
  }
  return times;
}
