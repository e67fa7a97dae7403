import type { Architecture } from '../../../scripts/release/architecture.ts';
import { armMachine } from '../arm64.ts';
import type { Debian } from './debian.ts';
import type { GuestKernel } from './kernel.ts';

export interface MachineFacts {
  readonly debian: Debian;
  readonly kernel: GuestKernel;
  readonly initrd: string;
  /** Those beside Debian's own, in the order in which the guest sees them. */
  readonly disks: readonly string[];
  readonly index: number;
  readonly tap: string;
  /** Where qemu itself takes commands. */
  readonly monitor: string;
  /** Where the logs of its programs go, by their names. */
  readonly logs: Readonly<Record<string, string>>;
}

const memoryMiB = 3072;

const commandLine = [
  ...['net.ifnames=0', 'quiet', 'systemd.show_status=0'],
  // A panic ends qemu.
  'panic=-1',
  // Page tables of their own for kernel and programs make the emulation forget its translations at each system call.
  'mitigations=off',
];

interface Board {
  readonly emulator: string;
  readonly machine: string;
  readonly cpu: string;
  /** For the kernel: the serial line as it calls it, and what only such a machine has. */
  readonly parameters: readonly string[];
}

const boards: Readonly<Record<Architecture, Board>> = {
  amd64: {
    ...{ emulator: 'qemu-system-x86_64', machine: 'q35' },
    // Go and glibc use AVX where there is any, which is emulated slowly.
    cpu: 'Nehalem',
    parameters: ['console=ttyS0', 'tsc=reliable'],
  },
  arm64: {
    ...armMachine,
    parameters: [`console=${armMachine.console}`],
  },
};

/** The command line of qemu. The console is its standard output. */
export function qemu(machine: MachineFacts): string[] {
  const { debian, kernel, initrd, disks, index, tap, monitor, logs } = machine;
  const board = boards[debian.architecture];
  return [
    // KVM inside a virtual machine may hang: plain emulation is slower and runs everywhere. One processor: with two, qemu 7.2 may run code that
    // Linux changes half changed on the other (`int3` in a panic; https://bugzilla.redhat.com/show_bug.cgi?id=2216496), and qemu 10.0 may
    // end where the machine is started again (`iotlb_to_section`). Both were seen.
    ...[board.emulator, '-accel', 'tcg', '-machine', board.machine],
    ...['-cpu', board.cpu, '-smp', '1', '-m', `${memoryMiB}`],
    ...['-nodefaults', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    ...['-kernel', kernel.kernel, '-initrd', initrd],
    ...['-append', [...board.parameters, ...commandLine].join(' ')],
    ...['-qmp', `unix:${monitor},server=on,wait=off`],
    ...[debian.image, ...disks].flatMap(disk),
    ...['-netdev', `tap,id=net0,ifname=${tap},script=no,downscript=no`],
    // Without a file to boot from: Debian keeps those in a package of their own.
    ...['-device', `virtio-net-pci,netdev=net0,mac=${hardwareAddress(index)},romfile=`],
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
    ...Object.entries(logs).flatMap(([name, file], at) => [
      ...['-chardev', `file,id=log${at},path=${file},append=on`],
      ...['-device', `virtserialport,chardev=log${at},name=${name}`],
    ]),
  ];
}

/** What the guest writes goes to a file without a name, and with it. */
function disk(image: string, at: number): string[] {
  return [
    ...['-drive', `file=${image},if=none,id=disk${at},format=raw,snapshot=on,cache=unsafe`],
    ...['-device', `virtio-blk-pci,drive=disk${at}`],
  ];
}

function hardwareAddress(index: number): string {
  return `52:54:00:00:01:${index.toString(16).padStart(2, '0')}`;
}
