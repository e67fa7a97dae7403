import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { addressesOf, control, wired } from '../addresses.ts';
import { runOrThrow } from '../command.ts';
import { loadOrder } from '../kernel-module.ts';
import { stocks } from '../stock.ts';
import type { Debian } from './debian.ts';
import type { GuestFacts } from './files.ts';
import type { GuestKernel } from './kernel.ts';

export interface InitrdFacts extends GuestFacts {
  readonly debian: Debian;
  readonly kernel: GuestKernel;
  /** By their paths in the guest. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** Targets, by the paths of symbolic links. */
  readonly links: Readonly<Record<string, string>>;
}

const needed = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_console', 'virtio_rng', 'ext4'];

/**
 * All that makes this one node of a Debian that is the same for each, in memory: its first program copies the
 * files over the disk before systemd starts.
 */
export async function packInitrd(facts: InitrdFacts, archive: string): Promise<void> {
  const root = `${archive}.root`;
  const put = (at: string) => {
    mkdirSync(dirname(join(root, at)), { recursive: true });
    return join(root, at);
  };
  for (const folder of ['dev', 'modules', 'new', 'proc', 'sys'])
    mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(stocks[facts.debian.architecture].busybox, put('bin/busybox'));
  const modules = modulesOf(facts.kernel);
  for (const { name, content } of modules) writeFileSync(put(`modules/${name}.ko`), content);
  for (const [path, text] of Object.entries(facts.files))
    writeFileSync(put(join('node', path)), text, { mode: path.endsWith('.key') ? 0o600 : 0o644 });
  for (const [path, target] of Object.entries(facts.links)) symlinkSync(target, put(join('node', path)));
  // A kernel of another release finds none of its modules there.
  if (facts.kernel.modules !== facts.debian.modules)
    cpSync(facts.kernel.modules, put('node/usr/lib/modules'), { recursive: true });
  const names = modules.map(({ name }) => name);
  writeFileSync(put('init'), init(names, facts), { mode: 0o755 });
  await runOrThrow(['sh', '-c', `find . | busybox cpio --quiet -o -H newc > "$0"`, archive], { cwd: root });
  rmSync(root, { recursive: true });
}

function modulesOf({ modules }: GuestKernel) {
  const [own = ''] = globSync(join(modules, '*'));
  const builtIn = new Set(
    readFileSync(join(own, 'modules.builtin'), 'utf8')
      .split('\n')
      .map((path) => basename(path, '.ko').replaceAll('-', '_')),
  );
  // Asked for by name at the time of use, which `depends` of ext4 does not say.
  const byName = existsSync(join(own, 'kernel/crypto/crc32c_generic.ko')) ? ['crc32c_generic'] : [];
  return loadOrder(
    own,
    [...byName, ...needed].filter((name) => !builtIn.has(name)),
  );
}

const storeFolders = { containerd: '/var/lib/containerd', crio: '/var/lib/containers/storage' };

function init(modules: readonly string[], { guest, family }: InitrdFacts): string {
  const { v4, v6 } = addressesOf(guest.index);
  const addresses = wired({ v4: `${v4}/24`, v6: `${v6}/64` }, family);
  const addAddress = (one: string) => `ip addr add ${one} dev eth0`;
  const addRoute = (via: string) => `ip ${via.includes(':') ? '-6 ' : ''}route add default via ${via}`;
  return `#!/bin/busybox sh
/bin/busybox --install -s /bin; export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
set -e
for module in ${modules.join(' ')}; do insmod /modules/$module.ko; done
mount -t ext4 -o noatime /dev/vda /new
store=/new${storeFolders[guest.spec.runtime]}
mkdir -p $store /new/etc/kubernetes/manifests
mount -t ext4 -o ro,noatime /dev/vdb /new/usr/local/bin
mount -t ext4 -o noatime /dev/vdc $store
cp -af /node/. /new/
# Debian 13 brings a hundred profiles for desktops, which take 20 s to compile under emulation.
find /new/etc/apparmor.d -maxdepth 1 -type f ! -name crun ! -name runc -exec rm {} +
# Nobody has installed a kernel that is of no Debian here.
[ -e /new/lib/modules/$(uname -r)/modules.dep ] || chroot /new /sbin/depmod
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do ln -s ../\${port##*/} /dev/virtio-ports/$(cat $port/name); done
ip link set lo up; ip link set eth0 up
${[...addresses.map(addAddress), ...wired(control, family).map(addRoute)].join('\n')}
echo "guest ${guest.name}: systemd follows"
umount /proc /sys
mount --move /dev /new/dev
exec switch_root /new /sbin/init
`;
}
