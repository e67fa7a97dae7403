import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Host } from './host.ts';
import { loadOrder } from './kernel-module.ts';
import type { Unpacked } from './unpacked.ts';
import { layOver } from './unpacked.ts';
import { until } from './wait.ts';

/** Something that a guest does, and what it takes. */
export interface Duty {
  /** Loaded in this order, each after those that it needs. */
  readonly modules: readonly string[];
  /** Paths that begin with /usr; their libraries come with them. */
  readonly programs: readonly string[];
  /** Further files of this machine, by their paths in the guest. */
  readonly files?: Readonly<Record<string, string>>;
  /** Lines of sh. What they print can be read in its console; the first that fails ends the guest. */
  readonly script: string;
}

/** What is emulated. */
export interface Board {
  readonly emulator: string;
  readonly machine: string;
  readonly cpu: string;
  /** Its serial line, as Linux calls it. */
  readonly console: string;
  /** The file of a static busybox. */
  readonly busybox: string;
}

// With all that it can emulate: kernels before Linux 5.6 wait for ever for a source of random numbers.
const ownBoard: Board = {
  ...{ emulator: 'qemu-system-x86_64', machine: 'q35', cpu: 'max', console: 'ttyS0' },
  busybox: '/bin/busybox',
};

/**
 * A kernel of Debian's in a qemu without KVM, for what the machine's own kernel may lack. It lives in memory, with
 * busybox and what its duties take.
 */
export interface GuestOptions {
  /** Where it runs: qemu uses this host's network. */
  readonly host: Host;
  /** For its files and its console; seen by the host as well. */
  readonly folder: string;
  /** Holds qemu, a kernel and its modules, and programs. */
  readonly packages: Unpacked;
  /** Instead of the one among the packages. */
  readonly kernel?: string;
  /** Where it is not a machine like this one; then no programs of this one serve there. */
  readonly board?: Board;
  /** For the kernel, beside those that it needs: `lockdown=integrity`. */
  readonly parameters?: readonly string[];
  /** The host's bridges that its eth0, eth1 and so on are plugged into. */
  readonly bridges: readonly string[];
  /** Done one after the other. */
  readonly duties: readonly Duty[];
  readonly signal: AbortSignal | undefined;
  /** Until its duties are done. */
  readonly patienceMs?: number;
}

const ready = 'guest: ready';
const memoryMiB = 1280;

/** Boots it and waits until its duties are done; gives back what it printed. */
export async function bootGuest(options: GuestOptions): Promise<string> {
  const { host, folder, packages, bridges, kernel = kernelOf(packages) } = options;
  const { board = ownBoard, parameters = [] } = options;
  await layOver(host, packages);
  const world = await packWorld(options);
  for (const [at, bridge] of bridges.entries()) {
    await host.execOrThrow(['ip', 'tuntap', 'add', 'dev', `tap${at}`, 'mode', 'tap']);
    await host.ip(`link set tap${at} master ${bridge} up`);
  }
  const logFile = join(folder, 'console.log');
  const argv = qemu({ board, kernel, parameters, world, devices: bridges.length });
  await host.start(argv, { logFile });
  return until(
    `the guest is ready; its console is ${logFile}`,
    () => {
      const console = readFileSync(logFile, 'utf8');
      if (host.find(argv) === undefined) throw new Error(`the guest ended: ${console.slice(-2000)}`);
      return console.includes(ready) && console;
    },
    { timeoutMs: options.patienceMs ?? 180_000, everyMs: 100, signal: options.signal },
  );
}

interface Emulated {
  readonly board: Board;
  readonly kernel: string;
  readonly parameters: readonly string[];
  readonly world: string;
  readonly devices: number;
}

function qemu({ board, kernel, parameters, world, devices }: Emulated): string[] {
  const network = Array.from({ length: devices }, (_, at) => [
    ...['-netdev', `tap,id=net${at},ifname=tap${at},script=no,downscript=no`],
    // Without a file to boot from: Debian keeps those in a package of their own.
    ...['-device', `virtio-net-pci,netdev=net${at},mac=52:54:00:00:00:0${at + 1},romfile=`],
  ]).flat();
  return [
    // KVM inside a virtual machine may hang: plain emulation is slower and runs everywhere.
    ...[board.emulator, '-accel', 'tcg', '-cpu', board.cpu, '-machine', board.machine],
    ...['-m', `${memoryMiB}`],
    ...['-nodefaults', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    // A panic ends qemu.
    ...['-kernel', kernel, '-initrd', world],
    ...[
      '-append',
      [`console=${board.console}`, 'quiet panic=-1 random.trust_cpu=on', ...parameters].join(' '),
    ],
    ...network,
  ];
}

function kernelOf({ folder }: Unpacked): string {
  const [kernel] = globSync(join(folder, 'boot/vmlinuz-*'));
  if (kernel === undefined) throw new Error(`there is no kernel in ${folder}/boot: remove the folder`);
  return kernel;
}

/** Everything that the guest has, as an archive that its kernel unpacks. */
async function packWorld({
  host,
  folder,
  packages,
  duties,
  board = ownBoard,
}: GuestOptions): Promise<string> {
  const root = join(folder, 'root');
  const put = (source: string, at: string) => {
    mkdirSync(dirname(join(root, at)), { recursive: true });
    copyFileSync(source, join(root, at));
  };
  for (const name of ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'usr/sbin'])
    mkdirSync(join(root, name), { recursive: true });
  put(board.busybox, 'bin/busybox');
  const kernel = join(packages.folder, 'usr/lib/modules');
  const modules = loadOrder(
    kernel,
    duties.flatMap((duty) => duty.modules),
  );
  mkdirSync(join(root, 'modules'));
  for (const { name, content } of modules) writeFileSync(join(root, 'modules', `${name}.ko`), content);
  for (const [at, source] of duties.flatMap(({ files = {} }) => Object.entries(files))) put(source, at);
  await putPrograms(
    host,
    root,
    duties.flatMap((duty) => duty.programs),
  );
  const names = modules.map(({ name }) => name);
  writeFileSync(join(root, 'init'), initOf(names, duties), { mode: 0o755 });
  const archive = join(folder, 'world.cpio');
  const pack = `find . | busybox cpio --quiet -o -H newc > '${archive}'`;
  await host.execOrThrow(['sh', '-c', pack], { cwd: root });
  return archive;
}

/** As the host sees them, whose /usr has the packages. */
async function putPrograms(host: Host, root: string, programs: readonly string[]): Promise<void> {
  if (programs.length === 0) return;
  const needed = await host.execOrThrow(['ldd', ...programs]);
  // Of several programs, each heads its own list, with a colon.
  const libraries = (needed.match(/\/\S+/g) ?? []).filter((path) => !path.endsWith(':'));
  const files = new Set([...programs, ...libraries]);
  await host.execOrThrow(['cp', '--dereference', '--parents', ...files, root]);
}

/** Its first process, whose end is a panic. */
function initOf(modules: readonly string[], duties: readonly Duty[]): string {
  return `#!/bin/busybox sh
set -e
trap 'tail -n 20 /run/*.log' EXIT
/bin/busybox --install -s /bin
export PATH=/bin:/usr/sbin:/usr/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
for module in ${modules.join(' ')}; do insmod /modules/$module.ko; done
ip link set lo up
# patiently COMMAND: until it succeeds, or a minute has passed
patiently() { tries=0; until "$@" > /tmp/said 2>&1; do tries=$((tries + 1)); test $tries -lt 600; sleep 0.1; done; }
${duties.map(({ script }) => script).join('\n')}
echo '${ready}'
while :; do sleep 3600; done
`;
}
