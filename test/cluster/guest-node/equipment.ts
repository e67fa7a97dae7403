import { readFileSync } from 'node:fs';

import type { Architecture } from '../../../scripts/release/architecture.ts';
import { runOrThrow } from '../command.ts';
import type { Unpacked } from '../unpacked.ts';
import { unpacked } from '../unpacked.ts';

const makers = ['mmdebstrap', 'debian-archive-keyring', 'e2fsprogs'];

/**
 * The qemu of Debian 12 (7.2) may run code that a kernel changes half changed on another processor of the guest, which ends it in a panic
 * (`int3`; mended in 8.1, https://bugzilla.redhat.com/show_bug.cgi?id=2216496). Kernels change their code whenever a feature is used
 * for the first time, not only while they start.
 */
const suite = /^VERSION_CODENAME=bookworm$/m.test(readFileSync('/etc/os-release', 'utf8'))
  ? 'bookworm-backports'
  : undefined;

/** What makes a Debian, and what runs it. */
export function equipment(architecture: Architecture = 'amd64'): Unpacked {
  return architecture === 'amd64'
    ? unpacked('guest-node', [...makers, 'qemu-system-x86'], suite)
    : unpacked('guest-node-arm64', [...makers, 'qemu-system-arm', 'qemu-user-static'], suite);
}

export interface EquippedOptions {
  readonly architecture?: Architecture;
  readonly signal?: AbortSignal | undefined;
}

/** Runs lines of bash as if the equipment were installed; its mounts and processes end with it, and it with us. */
export function equipped(
  script: string,
  args: readonly string[],
  { architecture, signal }: EquippedOptions = {},
): Promise<string> {
  const lay = 'set -euo pipefail; mount -t overlay -o "lowerdir=$1/usr:/usr" overlay /usr; shift';
  const apart = 'unshare --mount --pid --fork --kill-child --mount-proc bash -c'.split(' ');
  return runOrThrow(
    [
      ...['setpriv', '--pdeathsig', 'KILL', ...apart],
      ...[`${lay}\n${script}`, 'equipped', equipment(architecture).folder, ...args],
    ],
    { called: 'what makes guests', signal },
  );
}
