import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Bench } from '../e2e/shared.ts';
import type { CheckId } from './checks.ts';

const folder = join(import.meta.dirname, 'seen');
/** The node of every lab that shares this machine's kernel. */
export const labNode = 'lab';

/** What a node was, as it says itself. */
export interface Facts {
  readonly distribution: string;
  /** As Kubernetes calls it. */
  readonly architecture: string;
  readonly kernel: string;
  readonly runtime: string;
  /** What starts its containers: `runc 1.4.3`. */
  readonly starter: string;
  /** What watches over a container, and the control group it stands in. */
  readonly monitor: string;
  readonly controlGroups: string;
  readonly appArmor: 'on' | 'off';
  /** NodeKeepalive's `status.connections.by`. */
  readonly connections: string;
}

/** What a run of the suite saw on one kind of node. */
export interface Seen {
  /** As `--guest` takes it, or `labNode`. */
  readonly kind: string;
  readonly facts: Facts;
  /** Each check that was tried, and whether it held. */
  readonly checks: Partial<Record<CheckId, boolean>>;
}

export function writeSeen(seen: Seen): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${seen.kind.replaceAll(/[,=]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(seen, null, 2)}\n`);
}

/** Of the latest run of each kind that wrote it down. */
export function readSeen(): Seen[] {
  const files = globSync(join(folder, '*.json')).sort();
  return files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Seen);
}

const questions = `. /etc/os-release; echo "$PRETTY_NAME"
stat -fc %T /sys/fs/cgroup
cat /sys/module/apparmor/parameters/enabled 2> /dev/null || echo N
monitor=$(ps -eo pid=,comm= | awk '$2 ~ /^(conmon|containerd-shim)/ { print $1; exit }')
ps -o comm= -p $monitor
grep -m 1 -E '^0::|:memory:' /proc/$monitor/cgroup | cut -d : -f 3`;

/** Once pods run there. `starter` is the program that starts its containers. */
export async function factsOf(bench: Bench, node: string, starter: string): Promise<Facts> {
  const asked = ['architecture', 'kernelVersion', 'containerRuntimeVersion'];
  const path = `jsonpath=${asked.map((one) => `{.status.nodeInfo.${one}}`).join(' ')}`;
  const said = await bench.cluster.kubectl('get', 'node', node, '-o', path);
  const [architecture = '', kernel = '', runtime = ''] = said.split(' ');
  const answers = await bench.cluster.onNode(node, `${questions}\n${starter} --version | head -n 1`);
  const lines = answers.trim().split('\n');
  const line = (at: number) => lines[at] ?? '';
  const { connections } = await bench.report(node, (report) => report.connections !== undefined);
  return {
    distribution: line(0),
    architecture,
    kernel: plain(kernel),
    runtime: runtime.replace('://', ' ').replace('+unknown', ''),
    starter: line(5).replace(' version', ''),
    monitor: `${line(3)} in ${placeOf(line(4))}`,
    controlGroups: line(1) === 'cgroup2fs' ? 'v2' : 'v1',
    appArmor: line(2) === 'Y' ? 'on' : 'off',
    connections: connections?.by ?? 'not told',
  };
}

/** Debian's say what they are; of another, whatever machine the lab runs on, the version is enough. */
function plain(kernel: string): string {
  return /-(amd|arm)64$/.test(kernel) ? kernel : kernel.replace(/-.*/, '');
}

/** `/system.slice/crio-conmon-ID.scope` is of interest for its slice alone. */
function placeOf(group: string): string {
  if (group.includes('pod')) return 'the group of the pod';
  const [, top = ''] = group.split('/');
  return top.endsWith('.slice') ? top : 'the group of its runtime';
}
