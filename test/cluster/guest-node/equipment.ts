import { runOrThrow } from '../command.ts';
import type { Unpacked } from '../unpacked.ts';
import { unpacked } from '../unpacked.ts';

/** What makes a Debian, and what runs it. */
export function equipment(): Unpacked {
  return unpacked('guest-node', [
    ...['mmdebstrap', 'debian-archive-keyring', 'e2fsprogs', 'qemu-system-x86'],
  ]);
}

/** Runs lines of bash as if the equipment were installed; its mounts and processes end with it, and it with us. */
export function equipped(script: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const lay = 'set -euo pipefail; mount -t overlay -o "lowerdir=$1/usr:/usr" overlay /usr; shift';
  const apart = 'unshare --mount --pid --fork --kill-child --mount-proc bash -c'.split(' ');
  return runOrThrow(
    [
      ...['setpriv', '--pdeathsig', 'KILL', ...apart],
      ...[`${lay}\n${script}`, 'equipped', equipment().folder, ...args],
    ],
    { called: 'what makes guests', signal },
  );
}
