import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Architecture } from '../../../scripts/release/architecture.ts';
import { fill, placeFor } from '../cache.ts';
import { debianMirror } from '../package.ts';
import { equipped } from './equipment.ts';
import { foreign } from './foreign.ts';

/** By the age of their kernels: 5.10, 6.1 and 6.12. */
export const releases = ['bullseye', 'bookworm', 'trixie'] as const;
export type Release = (typeof releases)[number];

const packages = (architecture: Architecture) => [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'kmod', 'apparmor', 'mount', 'procps', 'util-linux'],
  ...['iproute2', 'iptables', 'nftables', 'conntrack', 'ethtool', 'containernetworking-plugins'],
  'ca-certificates',
  // What only CRI-O takes, which one of arm64 never has.
  ...(architecture === 'amd64' ? ['conmon', 'crun', 'skopeo'] : []),
  ...['libseccomp2', `linux-image-cloud-${architecture}`],
];

/** What comes before mmdebstrap, and what it is told beside what all are. */
const ways = {
  amd64: { before: '', run: 'mmdebstrap', options: '' },
  arm64: { before: foreign, run: 'foreign mmdebstrap', options: ' --arch=arm64 --skip=check/qemu' },
} as const satisfies Record<Architecture, object>;

/** Neither a boot loader nor an initramfs: qemu is given the kernel, and modules for it. No mount either: mke2fs copies a folder. */
const script = ({
  before,
  run,
  options,
}: (typeof ways)[Architecture]) => `${before}release=$1 folder=$2 mirror=$3 packages=$4
root=$folder/root
without=(); for part in doc man locale info; do without+=(--dpkgopt="path-exclude=/usr/share/$part/*"); done
${run} --quiet${options} --mode=root --variant=minbase --include="$packages" "\${without[@]}" \\
  --aptopt='Apt::Install-Recommends "false"' \\
  --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/etc/kernel/postinst.d"' \\
  "$release" "$root" "$mirror"
rm -f "$root"/boot/initrd* "$root"/var/cache/apt/archives/*.deb
mv "$root"/boot/vmlinuz-* "$folder/vmlinuz"
cp -a "$root"/lib/modules "$folder/modules"
mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,root_owner=0:0 -d "$root" "$folder/root.ext4" 2G
rm -r "$root"`;

/** The root file system of a Debian with systemd, and its kernel; nothing of any cluster is in it. */
export interface Debian {
  readonly release: Release;
  readonly architecture: Architecture;
  readonly image: string;
  readonly kernel: string;
  /** A folder named by the kernel's version, as in /lib/modules, and nothing beside it. */
  readonly modules: string;
  readonly isBuilt: () => boolean;
  readonly build: (signal?: AbortSignal) => Promise<void>;
}

export function debian(release: Release, architecture: Architecture = 'amd64'): Debian {
  const [wanted, making] = [packages(architecture).join(), script(ways[architecture])];
  const name = architecture === 'amd64' ? release : `${release}-${architecture}`;
  const place = placeFor('guests', name, [wanted, making]);
  return {
    release,
    architecture,
    image: join(place, 'root.ext4'),
    kernel: join(place, 'vmlinuz'),
    modules: join(place, 'modules'),
    isBuilt: () => existsSync(place),
    build: (signal) =>
      fill(place, async (folder) => {
        const args = [release, folder, await debianMirror(), wanted];
        await equipped(making, args, { signal, architecture });
      }),
  };
}
