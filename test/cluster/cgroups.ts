/**
 * The control groups of the nodes. A node's kubelet and containerd stay where they were started; the pods get
 * one folder a node at the top of the hierarchy, so that two clusters never share one.
 *
 * Run on a hybrid (v1) machine. The branch for version 2 is written after the kernel's documentation
 * (admin-guide/cgroup-v2, "Controlling Controllers") and has not been run.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { until } from './wait.ts';

const root = '/sys/fs/cgroup';

/** The kubelet's `cgroupRoot`, without the slash. A name holds no dot, so no cluster's prefix starts another's. */
export function cgroupOf(cluster: string, node: string): string {
  return `keepalive-lab.${cluster}.${node}`;
}

export function createCgroup(name: string): void {
  const hierarchies = hierarchyFolders();
  if (hierarchies.length === 1) enableForChildren(root);
  for (const hierarchy of hierarchies) {
    const folder = join(hierarchy, name);
    mkdirSync(folder, { recursive: true });
    // A new v1 cpuset is empty, and nothing may run in it before it is given CPUs and memory nodes.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (hierarchies.length > 1 && existsSync(join(hierarchy, file)))
        writeFileSync(join(folder, file), readFileSync(join(hierarchy, file)));
    }
  }
  if (hierarchies.length === 1) enableForChildren(join(root, name));
}

/** Removes one node's group, or all of a cluster's; the kernel lets go of one only when its last process is reaped. */
export async function removeCgroups(cluster: string, node = ''): Promise<void> {
  const matches = (name: string) =>
    node === '' ? name.startsWith(cgroupOf(cluster, '')) : name === cgroupOf(cluster, node);
  for (const hierarchy of hierarchyFolders()) {
    for (const name of readdirSync(hierarchy).filter(matches)) {
      await until(`the control group ${name} is empty`, () => tryRemove(join(hierarchy, name)));
    }
  }
}

/** One folder for version 2; one for each controller otherwise, symbolic links like cpu,cpuacct left out. */
function hierarchyFolders(): string[] {
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name));
}

function enableForChildren(folder: string): void {
  const controllers = readFileSync(join(folder, 'cgroup.controllers'), 'utf8').trim().split(' ');
  writeFileSync(join(folder, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
}

/** Whether nothing is left of a group and those below it. */
export function tryRemove(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !tryRemove(join(folder, entry.name))) return false;
    }
    rmdirSync(folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY') return false;
    throw error;
  }
}
