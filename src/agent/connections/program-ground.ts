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

/** Where programs of ours are pinned, and the control group that those of this node act in; undefined where there is none. */
export interface Pins {
  readonly pinFolder: string;
  readonly groupFolder: string | undefined;
}

export function pinsOf(procRoot: string): Pins {
  const root = join(procRoot, String(firstProcess), 'root');
  const groups = groupRootOf(procRoot);
  const groupFolder = groups === undefined ? undefined : join(root, groups);
  return { pinFolder: join(root, 'sys/fs/bpf/keepalive'), groupFolder };
}

/** As the host's first process has them mounted. */
function groupRootOf(procRoot: string): string | undefined {
  const file = join(procRoot, String(firstProcess), 'mountinfo');
  return attempt(() => unifiedRoot(readFileSync(file, 'utf8')));
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

export function descriptorFault(isHost: boolean): string | undefined {
  if (!isHost) return 'no hostPID';
  return handsOverDescriptors() ? undefined : 'ENOSYS at pidfd_getfd';
}

/** Each reason for itself, in the order in which a person would mend it. */
export async function openProgram(options: ConnectionProgramOptions): Promise<ConnectionProgram> {
  if (!existsSync(options.objectFile)) throw new Error('this build has no program for the kernel');
  if (!existsSync(typesFile)) throw new Error('no BTF');
  // Some mount it when something asks for it first, which may be after this agent.
  if (!isBpfFileSystem(join(options.pinFolder, '..')))
    throw Object.assign(new Error('no BPF file system at /sys/fs/bpf'), { code: 'EAGAIN' });
  return ConnectionProgram.open(options);
}

function isBpfFileSystem(folder: string): boolean {
  return attempt(() => statfsSync(folder).type) === bpfFileSystem;
}

/** Otherwise a number of the host's is another process's here, and no descriptor can be asked for. */
export function countsAsHost(procRoot: string): boolean {
  const spaceOf = (folder: string) => statSync(join(folder, 'ns/pid')).ino;
  const isHost = () => spaceOf(join(procRoot, String(firstProcess))) === spaceOf('/proc/self');
  return attempt(isHost) ?? false;
}
