import { networkOf } from '../kernel/network-namespace.ts';
import type { ProcessHandle } from '../kernel/process.ts';
import { numbersIn, readCgroups, startTicksOf, withProcess } from '../kernel/process.ts';
import type { RuntimeTraits } from '../policy/runtime.ts';
import type { PodGroup } from './pod-cgroup.ts';
import { PodGroups, podOfCgroups } from './pod-cgroup.ts';

/** The numbers of the processes that stand in some pod's control group, and nothing more of each: a tenant may have a million. */
export type PodProcesses = ReadonlyMap<PodGroup, readonly number[]>;

/** Goes through all processes of the node, once for all pods: what it takes grows with processes, not with pods. */
export function processesOfPods(procRoot: string): PodProcesses {
  const groups = new PodGroups();
  const processes = new Map<PodGroup, number[]>();
  for (const pid of numbersIn(procRoot)) {
    const found = groups.of(readCgroups(procRoot, pid) ?? '');
    if (found !== undefined) addTo(processes, found, pid);
  }
  return processes;
}

export function addTo<K>(processes: Map<K, number[]>, key: K, pid: number): void {
  const pids = processes.get(key);
  if (pids === undefined) processes.set(key, [pid]);
  else pids.push(pid);
}

/**
 * Whose network namespace is the pod's: of what stands directly below the pod's group, the oldest, which is the
 * sandbox itself (pause), or where there is none, the first container. What a container sets up inside, other
 * containers with other networks among it, stands deeper or came later. What is in the host's own network is left out
 * before depths are compared: a runtime's monitor may stand above all containers (CRI-O with crun, conmon in the pod's group).
 */
export function oldestFirst(procRoot: string, found: PodProcesses, hostNetwork: bigint): number[] {
  const depths = [...new Set(found.keys().map(({ depth }) => depth))].sort((a, b) => a - b);
  for (const shallowest of depths) {
    const there = found.entries().filter(([{ depth }]) => depth === shallowest);
    const own = there
      .flatMap(([, pids]) => pids.filter((pid) => !isIn(hostNetwork, procRoot, pid)))
      .toArray();
    if (own.length > 0) return byAge(procRoot, own);
  }
  return [];
}

/** Without those that have ended. An object for each would be more than a node's agent may hold. */
function byAge(procRoot: string, pids: readonly number[]): number[] {
  const started = Float64Array.from(pids, (pid) => startTicksOf(procRoot, String(pid)) ?? Infinity);
  const ageOf = (at: number) => started[at] ?? Infinity;
  const order = Uint32Array.from(pids.keys()).filter((at) => ageOf(at) !== Infinity);
  order.sort((a, b) => ageOf(a) - ageOf(b) || (pids[a] ?? 0) - (pids[b] ?? 0));
  return Array.from(order, (at) => pids[at] ?? 0);
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
