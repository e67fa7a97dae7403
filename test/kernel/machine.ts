import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';

import { tryRemove } from '../cluster/cgroups.ts';
import { Host } from '../cluster/host.ts';
import type { ProcessEntry } from '../cluster/process.ts';
import { processes } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import { Ledger } from '../../src/agent/ledger.ts';
import { NodeKernel } from '../../src/agent/node-kernel.ts';
import type { Triple } from '../../src/api/triple.ts';
import type { PodPlace } from '../../src/policy/place.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import type { PodIdentity } from '../../src/policy/pod-identity.ts';
import { clearLeftovers, ownFolder } from './leftover.ts';
import { hierarchy, procRootOf, sandboxGroup, startSandboxes } from './sandbox.ts';

export interface AgentOptions {
  readonly procRoot?: string;
  readonly now?: () => number;
  readonly onWalk?: (ms: number) => void;
}

export interface PodOptions {
  readonly uid?: string;
  /** Below the kubelet's root: how the driver names the group of a pod. */
  readonly driver?: 'cgroupfs' | 'systemd';
  readonly hostUsers?: boolean;
}

/** A machine in miniature: processes, a network and control groups of its own, seen from outside as an agent sees its host. */
export class Machine {
  readonly folder: string;
  readonly host: Host;
  /** What the API server says of its pods. */
  readonly pods = new Map<PodPlace, PodIdentity>();
  readonly #pids: number[] = [];
  #count = 0;

  private constructor(folder: string, host: Host) {
    this.folder = folder;
    this.host = host;
  }

  static async start(): Promise<Machine> {
    await clearLeftovers();
    const folder = ownFolder();
    mkdirSync(join(folder, 'log'));
    const host = await Host.start({ folder, name: 'node', owned: true });
    const machine = new Machine(folder, host);
    mkdirSync(machine.groups);
    return machine;
  }

  async stop(): Promise<void> {
    await this.host.stop();
    await until('the control groups are empty', () => tryRemove(this.groups));
    rmSync(this.folder, { recursive: true });
  }

  get procRoot(): string {
    return procRootOf(this.host);
  }

  get ledgerFile(): string {
    return join(this.folder, 'state/ledger');
  }

  /** As the agent of a process that has just started. */
  agent({ procRoot = this.procRoot, now, onWalk }: AgentOptions = {}): NodeKernel {
    const ledger = Ledger.open(this.ledgerFile, 'this-boot');
    return new NodeKernel({
      ...{ procRoot, ledger },
      ...(now === undefined ? {} : { now }),
      ...(onWalk === undefined ? {} : { onWalk }),
    });
  }

  /** A pod's sandbox: a process in a network namespace and a group of its own. */
  async pod({ uid = randomUUID(), driver = 'cgroupfs', hostUsers = true }: PodOptions = {}): Promise<Pod> {
    const group =
      driver === 'cgroupfs'
        ? sandboxGroup(uid)
        : `kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-abc.scope`;
    const pid = await this.process(['unshare', ...(hostUsers ? [] : ['--user']), '--net'], group);
    if (!hostUsers)
      for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${pid}/${map}`, '0 100000 65536');
    this.pods.set(placeOfPod(uid), { name: `test/${uid}`, group: uid, containers: [] });
    return new Pod(uid, pid, group);
  }

  /** The sandboxes of many pods, started together; their processes as the host numbers them. */
  async crowd(size: number): Promise<{ uid: string; pid: number }[]> {
    const uids = Array.from({ length: size }, () => randomUUID());
    const pids = await startSandboxes(
      this.host,
      uids.map((uid) => join(this.groups, sandboxGroup(uid))),
    );
    for (const uid of uids)
      this.pods.set(placeOfPod(uid), { name: `test/${uid}`, group: uid, containers: [] });
    return uids.map((uid, at) => ({ uid, pid: pids[at] ?? NaN }));
  }

  /** A process that does nothing, started through `launcher`, in a control group below the kubelet's root. */
  async process(launcher: readonly string[], group: string): Promise<number> {
    const seconds = String(100_000 + (this.#count += 1));
    const child = this.host.spawn([...launcher, 'sleep', seconds], { cwd: '/' });
    const complaints: string[] = [];
    child.stderr?.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
    const pid = await until('the process runs', () => {
      if (child.exitCode !== null) throw new Error(complaints.join(''));
      return this.#own().find(({ argv }) => argv.join(' ') === `sleep ${seconds}`)?.pid;
    });
    this.join(pid, group);
    this.#pids.push(pid);
    return pid;
  }

  /** A cable between the networks of two pods; both families, `.1` and `.2`. */
  async link(from: Pod, to: Pod): Promise<void> {
    const inside = (pod: Pod, ...argv: string[]) => this.#inside(pod.pid, argv);
    await inside(
      from,
      'ip',
      'link',
      'add',
      'cable',
      'type',
      'veth',
      'peer',
      'name',
      'cable',
      'netns',
      numberInside(to.pid),
    );
    for (const [pod, at] of [
      [from, 1],
      [to, 2],
    ] as const) {
      await inside(pod, 'ip', 'addr', 'add', `10.7.0.${at}/24`, 'dev', 'cable');
      await inside(pod, 'ip', 'addr', 'add', `fd07::${at}/64`, 'dev', 'cable', 'nodad');
      for (const device of ['lo', 'cable']) await inside(pod, 'ip', 'link', 'set', device, 'up');
    }
  }

  /** Starts a program in the network and the control group of a pod; it has said "ready". */
  async program(pod: Pod, argv: readonly string[]): Promise<ChildProcess> {
    const child = this.host.spawn(['nsenter', '-t', numberInside(pod.pid), '-n', '--', ...argv], {
      cwd: '/',
    });
    const complaints: string[] = [];
    child.stderr?.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve());
      child.once('exit', () => reject(new Error(complaints.join(''))));
    });
    for (const { pid, argv: running } of this.#own())
      if (running.join(' ') === argv.join(' ')) this.join(pid, pod.group);
    return child;
  }

  /** What `ss` says of the connections in a pod's network that are in this state: a line for each, with its timer. */
  async connections(pod: Pod, state = 'established'): Promise<string[]> {
    const { stdout } = await this.#inside(pod.pid, ['ss', '-tnoH', 'state', state]);
    return stdout.split('\n').filter((line) => line !== '');
  }

  /** Runs a program to its end in a pod's network; what it printed. */
  async run(pod: Pod, ...argv: readonly string[]): Promise<string> {
    return (await this.#inside(pod.pid, argv)).stdout;
  }

  join(pid: number, group: string): void {
    const folder = join(this.groups, group);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'cgroup.procs'), String(pid));
  }

  /** What the kernel holds in the namespace of a process; by a way of its own. */
  async values(pid = this.host.id.pid): Promise<Triple> {
    const names = ['time', 'intvl', 'probes'].map((name) => `/proc/sys/net/ipv4/tcp_keepalive_${name}`);
    const { stdout } = await this.#inside(pid, ['cat', ...names]);
    const [timeSeconds = 0, intervalSeconds = 0, probes = 0] = stdout.trim().split('\n').map(Number);
    return { timeSeconds, intervalSeconds, probes };
  }

  /** As somebody else would: `sysctl -w`. */
  async set(pid: number, name: 'time' | 'intvl' | 'probes', value: number): Promise<void> {
    await this.#inside(pid, ['sysctl', '-qw', `net.ipv4.tcp_keepalive_${name}=${value}`]);
  }

  async end(pid: number): Promise<void> {
    process.kill(pid, 'SIGKILL');
    // It has left its namespaces; whoever started it may not have waited for it yet.
    await until('it has ended', () => !existsSync(`/proc/${pid}/ns/net`));
  }

  /** Those of this machine alone: others may run at the same time, with programs of the same names. */
  #own(): ProcessEntry[] {
    const numbers = (pid: number) => readlinkOrNone(`/proc/${pid}/ns/pid`);
    const here = numbers(this.host.id.pid);
    return processes().filter(({ pid }) => numbers(pid) === here);
  }

  async #inside(pid: number, argv: readonly string[]) {
    const number = numberInside(pid);
    const output = await this.host.exec(['nsenter', '-t', number, '-n', '--', ...argv], { cwd: '/' });
    if (output.code !== 0) throw new Error(output.stderr);
    return output;
  }

  /** A place of its own for what the kernel pins: `/run/bpf` of its host. */
  async mountBpf(): Promise<void> {
    await this.host.execOrThrow(['sh', '-c', 'mkdir /run/bpf; mount -t bpf bpf /run/bpf'], { cwd: '/' });
  }

  /** The folder of its control groups. */
  get groups(): string {
    return join(hierarchy, basename(this.folder));
  }
}

export class Pod {
  readonly uid: string;
  readonly place: PodPlace;
  readonly pid: number;
  readonly group: string;

  constructor(uid: string, pid: number, group: string) {
    this.uid = uid;
    this.place = placeOfPod(uid);
    this.pid = pid;
    this.group = group;
  }
}

function readlinkOrNone(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** How a process of a host is numbered there. */
export function numberInside(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split('\t').at(-1) ?? '';
}
