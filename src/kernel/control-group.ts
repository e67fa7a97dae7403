import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join, relative } from 'node:path';

import { firstProcess, readCgroups } from './process.ts';
import { enterControlGroupNamespace } from './syscall.ts';

/**
 * Moves a process, numbered as the caller sees it, into the control groups of the machine's first process, which hold
 * processes on every layout and are never removed. Whatever group it was in can be removed then, although it has not
 * ended. Throws, after all that could be done, where the machine does not let it go; one that has ended meanwhile is no error.
 */
export function joinFirstProcess(procRoot: string, pid: number): void {
  const first = join(procRoot, String(firstProcess));
  // What proc says of groups, and which of them may be written, depends on who opens, and before Linux 5.16 on who
  // writes: systemd mounts them `nsdelegate`.
  const failures = insideGroupsOfFirst(procRoot, () => {
    const mounts = readFileSync(join(first, 'mountinfo'), 'utf8');
    const folders = groupFolders(readCgroups(procRoot, firstProcess) ?? '', mounts);
    return folders.flatMap((folder) => failureOf(() => move(join(first, 'root', folder), pid)));
  });
  if (failures.length > 0) throw failures[0] as Error;
}

/**
 * From then on the calling thread reads of every process where it stands from the top. In a control group namespace of its
 * own, as a container has it with version 2, what stands in its own group reads `/`, and all else begins with `/..`. Where
 * that may not be done, it reads as before.
 */
export function readGroupsFromTheTop(procRoot: string): void {
  try {
    enterGroupsOfFirst(procRoot);
  } catch {
    // Who may not do this may do nothing else here, and is told so by that.
  }
}

/** Cgroup(7): `ID:CONTROLLERS:PATH`, and proc_pid_mountinfo(5). One that is not mounted, or not so far up, is left out. */
export function groupFolders(cgroups: string, mountinfo: string): string[] {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [, root = '', folder = '', type = '', options = ''] =
      /^\d+ \d+ \S+ (\S+) (\S+) .* - (cgroup2?) \S+ (\S+)$/.exec(line) ?? [];
    return type === '' ? [] : [{ root, folder, type, options: options.split(',') }];
  });
  return cgroups.split('\n').flatMap((line) => {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    const mount = mounts.find(({ type, options, root }) => {
      const isIt = controllers === '' ? type === 'cgroup2' : holds(options, controllers.split(','));
      return isIt && isWithin(path, root);
    });
    return mount === undefined ? [] : [join(mount.folder, relative(mount.root, path))];
  });
}

function holds(options: readonly string[], controllers: readonly string[]): boolean {
  return controllers.every((controller) => options.includes(controller));
}

function isWithin(path: string, root: string): boolean {
  return root === '/' || path === root || path.startsWith(`${root}/`);
}

function move(folder: string, pid: number): void {
  const file = openSync(join(folder, 'cgroup.procs'), constants.O_WRONLY);
  try {
    writeSync(file, String(pid));
  } finally {
    closeSync(file);
  }
}

function failureOf(action: () => void): unknown[] {
  try {
    action();
    return [];
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? [] : [error];
  }
}

function insideGroupsOfFirst<T>(procRoot: string, action: () => T): T {
  const home = openSync('/proc/thread-self/ns/cgroup', 'r');
  try {
    enterGroupsOfFirst(procRoot);
    try {
      return action();
    } finally {
      enterControlGroupNamespace(home);
    }
  } finally {
    closeSync(home);
  }
}

function enterGroupsOfFirst(procRoot: string): void {
  const namespace = openSync(join(procRoot, String(firstProcess), 'ns/cgroup'), 'r');
  try {
    enterControlGroupNamespace(namespace);
  } finally {
    closeSync(namespace);
  }
}

/**
 * Where control groups of version 2 begin, as a path of whoever has these mounts; undefined where they are not mounted, or not
 * from their top.
 */
export function unifiedRoot(mountinfo: string): string | undefined {
  return /^\d+ \d+ \S+ \/ (\S+) .* - cgroup2 /m.exec(mountinfo)?.[1];
}
