import { networkOf } from '../kernel/network-namespace.ts';
import type { ProcessHandle } from '../kernel/process.ts';
import { processNumbers, readCgroups, startTicksOf, withProcess } from '../kernel/process.ts';
import type { RuntimeTraits } from '../policy/runtime.ts';
import type { PodGroup } from './pod-cgroup.ts';
import { podOfCgroups } from './pod-cgroup.ts';

/** A process that stands in some pod's control group. */
export interface PodProcess extends PodGroup {
  readonly pid: number;
}

/** Goes through all processes of the node, once for all pods: what it takes grows with processes, not with pods. */
export function processesOfPods(procRoot: string): PodProcess[] {
  return processNumbers(procRoot).flatMap((pid) => {
    const found = podOfCgroups(readCgroups(procRoot, pid) ?? '');
    return found === undefined ? [] : [{ pid, ...found }];
  });
}

/**
 * Whose network namespace is the pod's: of what stands directly below the pod's group, the oldest, which is the
 * sandbox itself (pause), or where there is none, the first container. What a container sets up inside, other
 * containers with other networks among it, stands deeper or came later. What is in the host's own network is left out
 * before depths are compared: a runtime's monitor may stand above all containers (CRI-O with crun, conmon in the pod's group).
 */
export function oldestFirst(procRoot: string, found: readonly PodProcess[], hostNetwork: bigint): number[] {
  const own = found.filter(({ pid }) => !isIn(hostNetwork, procRoot, pid));
  const shallowest = Math.min(...own.map(({ depth }) => depth));
  return own
    .filter(({ depth }) => depth === shallowest)
    .map(({ pid }) => ({ pid, started: startTicksOf(procRoot, String(pid)) }))
    .filter(({ started }) => started !== undefined)
    .sort((a, b) => Number(a.started) - Number(b.started) || a.pid - b.pid)
    .map(({ pid }) => pid);
}

/** Of one that may not be looked at nobody knows, which opening it will say. */
function isIn(network: bigint, procRoot: string, pid: number): boolean {
  try {
    return networkOf(procRoot, pid) === network;
  } catch {
    return false;
  }
}

/** Asked of the very process, since its number may have gone to another since it was found. `undefined`: it is of no pod. */
export function isInGroup(process: ProcessHandle, group: string | undefined): boolean {
  return podOfCgroups(process.cgroups())?.group === group;
}

/** Neither is what it writes of itself: a page of its own memory may be one that never comes. */
export function traitsOf(procRoot: string, process: ProcessHandle): RuntimeTraits {
  return {
    program: process.executable(),
    starter: withProcess(procRoot, process.parent(), (parent) => parent.executable()),
    devices: process.networkDevices(),
  };
}

/** What runc (libcontainer/nsenter), crun and youki call themselves until they become the program of a container. */
const runtimes = /^(?:runc:\[|runc$|crun$|youki)/;

/**
 * A runtime is in the pod's network already, and writes the sysctls of its spec last: who writes before takes what the kernel
 * began with for the pod's own, and puts that back one day.
 */
export function isStarting(process: ProcessHandle): boolean {
  return runtimes.test(process.program());
}
