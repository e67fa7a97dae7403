import { readdirSync, readFileSync } from 'node:fs';

import type { Host } from '../cluster/host.ts';
import { until } from '../cluster/wait.ts';

/** A control group hierarchy that processes may be put into: the one of version 2, or one of version 1. */
export const hierarchy = readdirSync('/sys/fs/cgroup').includes('cgroup.controllers')
  ? '/sys/fs/cgroup'
  : '/sys/fs/cgroup/pids';

/** Below the kubelet's root, as its cgroupfs driver names it. */
export function sandboxGroup(uid: string): string {
  return `kubepods/besteffort/pod${uid}/sandbox`;
}

/**
 * Starts a process in a network namespace and a control group of its own for each of these groups, which are
 * made; many at a time. Returns their numbers inside the host, in the same order; they end with it.
 */
export async function startSandboxes(host: Host, groups: readonly string[]): Promise<number[]> {
  const script = `while read -r group; do
      mkdir -p "$group"
      (echo 0 > "$group/cgroup.procs"; exec unshare --net sleep infinity) < /dev/null > /dev/null 2>&1 &
      echo $!
    done`;
  const stdin = groups.map((group) => `${group}\n`).join('');
  const printed = await host.execOrThrow(['bash', '-c', script], { stdin, cwd: '/' });
  const pids = printed.trim().split('\n').map(Number);
  for (const pid of pids)
    await until('a sandbox has its own network', () => nameOf(host, pid) === 'sleep', { timeoutMs: 180_000 });
  return pids;
}

/** It has that name once the program that unshares has become the one that stays. */
function nameOf(host: Host, pid: number): string {
  return readFileSync(`${procRootOf(host)}/${pid}/comm`, 'utf8').trim();
}

/** The proc file system of a host, as this machine sees it. */
export function procRootOf(host: Host): string {
  return `/proc/${host.id.pid}/root/proc`;
}
