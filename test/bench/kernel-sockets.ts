import { closeSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Swept } from '../../src/agent/connections/network-sweep.ts';
import { NetworkSweep } from '../../src/agent/connections/network-sweep.ts';
import type { Network } from '../../src/agent/node-kernel.ts';
import { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import { unifiedRoot } from '../../src/kernel/control-group.ts';
import { HomeNamespace, identityInside } from '../../src/kernel/network-namespace.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import { acceptFrom, closeAll, connectTo, listenAt } from '../kernel/plain-socket.ts';
import { behind } from '../support/builder.ts';
import type { Row } from './result.ts';
import { perSocket } from './result.ts';

export interface KernelSocketsOptions {
  readonly objectFile: string;
  /** Where the processes of the crowd are to be found. */
  readonly procRoot: string;
  readonly pinFolder: string;
  readonly crowd: readonly { readonly pid: number }[];
  readonly socketCount: number;
  /** Each thing that takes long is done so often. */
  readonly rounds: number;
  readonly idleTimeoutSeconds: number;
  readonly say: (text: string) => void;
}

const openings = 20;
/** A network has 28,000 ports to connect from, and one that was closed keeps its own for a minute: all rounds together take fewer. */
const pairs = 500;
const address = '10.9.0.1';
const port = 7900;
const order = (idleTimeoutSeconds: number) => workedOut(behind(idleTimeoutSeconds));

/** What the kernel itself takes for the connections of a crowd that holds them: to give them values, to count them, and to open new ones. */
export async function kernelSockets(options: KernelSocketsOptions): Promise<Row[]> {
  const { objectFile, procRoot, pinFolder, crowd, socketCount, rounds, say } = options;
  const groupFolder = unifiedRoot(readFileSync('/proc/self/mountinfo', 'utf8')) ?? '';
  const startedMs = performance.now();
  const program = await ConnectionProgram.open({ procRoot: '/proc', objectFile, groupFolder, pinFolder });
  const loadedMs = performance.now() - startedMs;
  try {
    const home = new HomeNamespace();
    const networks = crowd.map(({ pid }) => ({ ...networkOf(home, procRoot, pid), owner: '' }));
    for (const { cookie } of networks) program.order(cookie, order(options.idleTimeoutSeconds));
    say('sweeping');
    const sweeps = new NetworkSweep(procRoot, { begin: () => undefined, touch: () => undefined });
    const sweep = () => sweepAll(sweeps, { networks, pins: program.folder });
    const first = sweep();
    if (first.repaired !== socketCount)
      throw new Error(`${first.repaired} were given values instead of ${socketCount}`);
    const again = Array.from({ length: rounds }, () => sweep().cpuMs);
    say('opening new ones');
    const [one] = networks;
    if (one === undefined) throw new Error('there is no network');
    const opened = measureOpening({ home, procRoot, network: one, program });
    return [
      { what: 'the program loaded, once, by the clock', figures: { 'p50 ms': loadedMs, rounds: 1 } },
      perSocket(`repaired by a sweep of each of ${networks.length} networks`, [first.cpuMs], socketCount),
      perSocket('swept again, nothing to give', again, socketCount),
      ...countedRows(program, { socketCount, rounds }),
      ...opened,
    ];
  } finally {
    program.close();
    ConnectionProgram.removeAll(pinFolder);
  }
}

function sweepAll(
  sweeps: NetworkSweep,
  request: Parameters<NetworkSweep['sweep']>[0],
): { readonly cpuMs: number; readonly repaired: number } {
  const all: Swept[] = [...sweeps.sweep(request)].filter((one) => one !== undefined);
  const bad = all.find(({ as }) => as !== 'swept');
  if (bad !== undefined) throw new Error(`a network was ${bad.as}: ${bad.error ?? ''}`);
  const sum = (of: (one: Swept) => number) => all.reduce((total, one) => total + of(one), 0);
  return { cpuMs: sum((one) => one.cpuMs), repaired: sum((one) => one.repaired) };
}

function countedRows(
  program: ConnectionProgram,
  { socketCount, rounds }: Pick<KernelSocketsOptions, 'socketCount' | 'rounds'>,
): Row[] {
  if (program.countless !== undefined)
    return [{ what: `counted by the kernel: not here (${program.countless})`, figures: {} }];
  const times = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    let told = 0;
    for (const step of program.read()) told += step.length;
    if (told !== socketCount) throw new Error(`${told} were counted instead of ${socketCount}`);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return [perSocket('counted by the kernel, all networks in one read', times, socketCount)];
}

/** One after the other, so that what else the machine does falls on both alike. */
function measureOpening({
  home,
  procRoot,
  network,
  program,
}: {
  home: HomeNamespace;
  procRoot: string;
  network: Network;
  program: ConnectionProgram;
}): Row[] {
  const times: Record<'without' | 'with', number[]> = { without: [], with: [] };
  let inProgram: number[] | undefined;
  inside(home, join(procRoot, String(network.pid)), () => {
    const listener = listenAt(address, port);
    for (let round = 0; round < openings * 2; round += 1) {
      const isOrdered = round % 2 === 1;
      if (isOrdered) program.order(network.cookie, order(90));
      else program.withdraw(network.cookie);
      times[isOrdered ? 'with' : 'without'].push(openPairs(listener));
    }
    inProgram = accountedFor(() => void openPairs(listener));
    closeAll([listener]);
  });
  return [
    perSocket('connect and accept, nothing ordered for the network', times.without, pairs),
    perSocket('connect and accept, both ends given values when established', times.with, pairs),
    ...(inProgram === undefined
      ? []
      : [perSocket('of that the program itself, by the kernel’s account', inProgram, pairs)]),
  ];
}

const statistics = '/proc/sys/kernel/bpf_stats_enabled';

/**
 * What the program took of each of some rounds. The kernel keeps that account only where it is told to, since it takes time itself, and
 * tells it of a descriptor of the program: whoever found it pinned whole has none.
 */
function accountedFor(action: () => void): number[] | undefined {
  if (runTimeMs() === undefined) return undefined;
  const setting = readFileSync(statistics, 'utf8');
  writeFileSync(statistics, '1');
  try {
    return Array.from({ length: openings / 2 }, () => {
      const before = runTimeMs() ?? NaN;
      action();
      return (runTimeMs() ?? NaN) - before;
    });
  } finally {
    writeFileSync(statistics, setting);
  }
}

/** Time in our program that meets connections as they are established: BPF_PROG_TYPE_SOCK_OPS is 13. */
function runTimeMs(): number | undefined {
  const told = readdirSync('/proc/self/fdinfo').map((fd) => {
    try {
      return readFileSync(join('/proc/self/fdinfo', fd), 'utf8');
    } catch {
      return ''; // That of the listing itself.
    }
  });
  const one = told.find((text) => /^prog_type:\t13$/m.test(text)) ?? '';
  const [, ns] = /^run_time_ns:\t(\d+)$/m.exec(one) ?? [];
  return ns === undefined ? undefined : Number(ns) / 1e6;
}

function openPairs(listener: number): number {
  const open: number[] = [];
  const before = process.cpuUsage();
  for (let pair = 0; pair < pairs; pair += 1) open.push(connectTo(address, port), acceptFrom(listener));
  const { user, system } = process.cpuUsage(before);
  closeAll(open);
  return (user + system) / 1000;
}

function networkOf(home: HomeNamespace, procRoot: string, pid: number): Network {
  const cookie = inside(home, join(procRoot, String(pid)), (fd) => identityInside(fd).cookie);
  if (cookie === undefined) throw new Error('this kernel gives network namespaces no cookie');
  return { cookie, pid };
}

function inside<T>(home: HomeNamespace, processFolder: string, action: (fd: number) => T): T {
  const fd = openSync(join(processFolder, 'ns/net'), 'r');
  try {
    return home.away(fd, () => action(fd));
  } finally {
    closeSync(fd);
  }
}
