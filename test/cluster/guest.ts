import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { Host } from './host.ts';
import type { Unpacked } from './unpacked.ts';
import { layOver } from './unpacked.ts';
import { until } from './wait.ts';

/**
 * A kernel of Debian's in a qemu without KVM, for what the machine's own kernel may lack. It lives in memory, with
 * busybox and few programs; all it does is said beforehand, in a script.
 */
export interface GuestOptions {
  /** Where it runs: qemu uses this host's network. */
  readonly host: Host;
  /** For its files and its log; seen by the host as well. */
  readonly folder: string;
  /** Holds a kernel, its modules and the programs. */
  readonly packages: Unpacked;
  readonly modules: readonly string[];
  /** Paths that begin with /usr. */
  readonly programs: readonly string[];
  /** The host's bridges that its eth0, eth1 and so on are plugged into. */
  readonly bridges: readonly string[];
  /** Lines of sh, the first that fails ends it. What is printed can be read in its console. */
  readonly script: string;
}

const ready = 'guest: ready';

/** Boots it and waits for the end of its script; gives back what it printed. */
export async function bootGuest(options: GuestOptions): Promise<string> {
  const { host, folder, packages, bridges } = options;
  await layOver(host, packages);
  const world = await fillWorld(options);
  for (const [at, bridge] of bridges.entries()) {
    await host.execOrThrow(['ip', 'tuntap', 'add', 'dev', `tap${at}`, 'mode', 'tap']);
    await host.ip(`link set tap${at} master ${bridge} up`);
  }
  const logFile = join(folder, 'console.log');
  const argv = qemu(kernelOf(packages), world, bridges.length);
  await host.start(argv, { logFile });
  return until(
    `the guest is ready; its console is ${logFile}`,
    () => {
      const console = readFileSync(logFile, 'utf8');
      if (host.find(argv) === undefined) throw new Error(`the guest ended: ${console.slice(-2000)}`);
      return console.includes(ready) && console;
    },
    { timeoutMs: 180_000, everyMs: 100 },
  );
}

function qemu(kernel: string, world: string, devices: number): string[] {
  const network = Array.from({ length: devices }, (_, at) => [
    ...['-netdev', `tap,id=net${at},ifname=tap${at},script=no,downscript=no`],
    // Without a file to boot from: Debian keeps those in a package of their own.
    ...['-device', `virtio-net-pci,netdev=net${at},mac=52:54:00:00:00:0${at + 1},romfile=`],
  ]).flat();
  return [
    // KVM inside a virtual machine may hang: plain emulation is slower and runs everywhere.
    ...['qemu-system-x86_64', '-accel', 'tcg', '-machine', 'q35', '-m', '512', '-nodefaults', '-no-reboot'],
    ...['-display', 'none', '-serial', 'stdio', '-kernel', kernel, '-initrd', world],
    // A panic ends qemu.
    ...['-append', 'console=ttyS0 quiet panic=-1'],
    ...network,
  ];
}

function kernelOf({ folder }: Unpacked): string {
  const [kernel] = globSync(join(folder, 'boot/vmlinuz-*'));
  if (kernel === undefined) throw new Error(`there is no kernel in ${folder}/boot: remove the folder`);
  return kernel;
}

/** Everything that the guest has, as a cpio archive. */
async function fillWorld({ host, folder, packages, ...options }: GuestOptions): Promise<string> {
  const root = join(folder, 'root');
  for (const name of ['bin', 'dev', 'modules', 'proc', 'run', 'sys', 'tmp', 'usr/sbin'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  const libraries = await Promise.all(options.programs.map((program) => librariesOf(host, program)));
  const files = [...new Set([...options.programs, ...libraries.flat()])];
  await host.execOrThrow(['cp', '--dereference', '--parents', ...files, root]);
  const modules = inOrder(packages, options.modules);
  for (const file of modules) copyFileSync(file, join(root, 'modules', basename(file)));
  const init = initOf(
    modules.map((file) => basename(file)),
    options.script,
  );
  writeFileSync(join(root, 'init'), init, { mode: 0o755 });
  const archive = join(folder, 'world.cpio');
  const pack = `find . | busybox cpio --quiet -o -H newc > '${archive}'`;
  await host.execOrThrow(['sh', '-c', pack], { cwd: root });
  return archive;
}

/** As the host sees them, whose /usr has the packages. */
async function librariesOf(host: Host, program: string): Promise<string[]> {
  return (await host.execOrThrow(['ldd', program])).match(/\/[^ ]+/g) ?? [];
}

/** The files of these modules and of all that they need, in the order in which they can be loaded. */
function inOrder({ folder }: Unpacked, names: readonly string[]): string[] {
  const found = new Map(
    globSync(join(folder, 'usr/lib/modules/*/kernel/**/*.ko')).map((file) => [
      basename(file, '.ko').replaceAll('-', '_'),
      file,
    ]),
  );
  const wanted = new Set<string>();
  const want = (name: string) => {
    const file = found.get(name);
    if (file === undefined || !existsSync(file)) throw new Error(`the kernel has no module ${name}`);
    needsOf(file).forEach(want);
    wanted.add(file);
  };
  names.forEach(want);
  return [...wanted];
}

/** What a module says of itself: `depends=` in its section .modinfo. */
function needsOf(file: string): string[] {
  const depends = /\0depends=([^\0]*)\0/.exec(readFileSync(file, 'latin1'))?.[1] ?? '';
  return depends
    .split(',')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'));
}

function initOf(modules: readonly string[], script: string): string {
  return `#!/bin/busybox sh
set -e
/bin/busybox --install -s /bin
export PATH=/bin:/usr/sbin:/usr/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
for module in ${modules.join(' ')}; do insmod /modules/$module; done
ip link set lo up
${script}
echo '${ready}'
while :; do sleep 3600; done
`;
}
