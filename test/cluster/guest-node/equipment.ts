import type { Architecture } from '../../../scripts/release/architecture.ts';
import { runOrThrow } from '../command.ts';
import type { Unpacked } from '../unpacked.ts';
import { unpacked } from '../unpacked.ts';

const makers = ['mmdebstrap', 'debian-archive-keyring', 'e2fsprogs'];

/** What makes a Debian, and what runs it. */
export function equipment(architecture: Architecture = 'amd64'): Unpacked {
  return architecture === 'amd64'
    ? unpacked('guest-node', [...makers, 'qemu-system-x86'])
    : unpacked('guest-node-arm64', [...makers, 'qemu-system-arm', 'qemu-user-static']);
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
