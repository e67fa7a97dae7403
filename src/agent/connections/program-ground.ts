/** What a machine has for the program that looks after connections, and where it goes. */
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';

import { attempt } from '../../kernel/connection-pins.ts';
import type { ConnectionProgramOptions } from '../../kernel/connection-program.ts';
import { ConnectionProgram } from '../../kernel/connection-program.ts';
import { unifiedRoot } from '../../kernel/control-group.ts';
import { firstProcess } from '../../kernel/process.ts';
import { handsOverDescriptors } from '../../kernel/syscall.ts';

/** BPF_FS_MAGIC */
const bpfFileSystem = 0xcafe4a11;
const typesFile = '/sys/kernel/btf/vmlinux';

/**
 * Where programs of ours are pinned, and the control group that those of this node act in; or, where there is none or none is to be
 * seen, which of the two it is: what a person has to mend.
 */
export type Pins = { readonly pinFolder: string } & (
  | { readonly groupFolder: string; readonly fault?: undefined }
  | { readonly groupFolder: undefined; readonly fault: string }
);

export function pinsOf(procRoot: string): Pins {
  const root = join(procRoot, String(firstProcess), 'root');
  const pinFolder = join(root, 'sys/fs/bpf/keepalive');
  const groups = ofFirst(procRoot, 'mountinfo', (file) => unifiedRoot(readFileSync(file, 'utf8')));
  if ('fault' in groups) return { pinFolder, groupFolder: undefined, fault: groups.fault };
  if (groups.value === undefined)
    return { pinFolder, groupFolder: undefined, fault: 'no control groups of version 2' };
  return { pinFolder, groupFolder: join(root, groups.value) };
}

/** Whoever lacks a right on the host's first process is told of that, and of nothing that it cannot see. */
function ofFirst<T>(
  procRoot: string,
  name: string,
  read: (file: string) => T,
): { readonly value: T } | { readonly fault: string } {
  try {
    return { value: read(join(procRoot, String(firstProcess), name)) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { fault: `${code ?? message} at ${name} of process ${firstProcess}` };
  }
}

/** Who may not do this has nothing there, and what is not ours is not removed. */
export function removePins({ pinFolder, groupFolder }: Pins): void {
  if (groupFolder !== undefined) attempt(() => ConnectionProgram.removeAll(pinFolder, groupFolder));
}

/** ENOTSUPP of the kernel's own (include/linux/errno.h), which Node has no name for. */
const unsupported = getSystemErrorName(-524);
/**
 * What a machine cannot have, it will not have in a minute: the verifier's word, a right, a library, types, a function of the
 * kernel. By Node's names, which calls EOPNOTSUPP ENOTSUP.
 */
const lasting = [
  ...['EINVAL', 'EACCES', 'EPERM', 'ENOENT', 'ESRCH', 'ENOSYS', 'ENOTSUP', 'EBADF', 'E2BIG'],
  unsupported,
];

/** What has no code is what was found missing before anything was tried. */
export function isPassing({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && !lasting.includes(code) && !code.startsWith('libbpf');
}

/** Whether descriptors of the host's processes can be asked for, by their numbers; `fault`: why none is handed over. */
export interface DescriptorGround {
  readonly byDescriptors: boolean;
  readonly fault: string | undefined;
}

/** Without `hostPID` a number of the host's is another process's here. A kernel that hands none over tells so of each place. */
export function descriptorGround(procRoot: string): DescriptorGround {
  const isHost = ofFirst(
    procRoot,
    'ns/pid',
    (file) => statSync(file).ino === statSync('/proc/self/ns/pid').ino,
  );
  if ('fault' in isHost) return { byDescriptors: false, fault: isHost.fault };
  if (!isHost.value) return { byDescriptors: false, fault: 'no hostPID' };
  return { byDescriptors: true, fault: handsOverDescriptors() ? undefined : 'ENOSYS at pidfd_getfd' };
}

/** Each reason for itself, in the order in which a person would mend it. */
export async function openProgram(options: ConnectionProgramOptions): Promise<ConnectionProgram> {
  if (!existsSync(options.objectFile)) throw new Error('this build has no program for the kernel');
  if (!existsSync(typesFile)) throw new Error('no BTF');
  const fault = fileSystemFault(join(options.pinFolder, '..'));
  if (fault !== undefined) throw fault;
  return ConnectionProgram.open(options);
}

/** Why nothing can be pinned in a folder. Some mount it when something asks for it first, which may be after this agent. */
export function fileSystemFault(folder: string): NodeJS.ErrnoException | undefined {
  try {
    if (statfsSync(folder).type === bpfFileSystem) return undefined;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // Who may not see it knows nothing of what is mounted there.
    if (code !== 'ENOENT') return Object.assign(new Error(`${code} at /sys/fs/bpf`), { code });
  }
  return Object.assign(new Error('no BPF file system at /sys/fs/bpf'), { code: 'EAGAIN' });
}
