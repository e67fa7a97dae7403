import type { ProcessHandle } from '../kernel/process.ts';
import { processNumbers, readCgroups, withProcess } from '../kernel/process.ts';
import { podOfCgroups } from './pod-cgroup.ts';

interface Candidate {
  readonly pid: number;
  readonly depth: number;
}

/** Processes of each of these pods, as the control groups tell; in the order of {@link oldestFirst}. */
export function processesOfPods(procRoot: string, uids: ReadonlySet<string>): Map<string, number[]> {
  const candidates = new Map<string, Candidate[]>();
  for (const pid of processNumbers(procRoot)) {
    const group = podOfCgroups(readCgroups(procRoot, pid) ?? '');
    if (group === undefined || !uids.has(group.uid)) continue;
    const known = candidates.get(group.uid);
    if (known === undefined) candidates.set(group.uid, [{ pid, depth: group.depth }]);
    else known.push({ pid, depth: group.depth });
  }
  return new Map(candidates.entries().map(([uid, found]) => [uid, oldestFirst(procRoot, found)]));
}

/**
 * Whose network namespace is the pod's: of what stands directly below the pod's group, the oldest, which is the
 * sandbox itself (pause), or where there is none, the first container. What a container sets up inside, other
 * containers with other networks among it, stands deeper or came later.
 */
function oldestFirst(procRoot: string, found: readonly Candidate[]): number[] {
  const shallowest = Math.min(...found.map(({ depth }) => depth));
  return found
    .filter(({ depth }) => depth === shallowest)
    .map(({ pid }) => ({ pid, started: withProcess(procRoot, pid, (process) => process.startTicks()) }))
    .filter(({ started }) => started !== undefined)
    .sort((a, b) => Number(a.started) - Number(b.started) || a.pid - b.pid)
    .map(({ pid }) => pid);
}

/** Asked of the very process, since its number may have gone to another since it was found. */
export function isOfPod(process: ProcessHandle, uid: string): boolean {
  return podOfCgroups(process.cgroups())?.uid === uid;
}
