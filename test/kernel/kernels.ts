import type { KernelSource } from '../cluster/kernel-image.ts';
import { jammy, newest } from '../cluster/kernel-image.ts';

/** A kernel that a guest was given, and what it took there. */
export interface KernelCase {
  readonly name: string;
  /** Numbers of its version that stay while it gets corrections; of the newest, when this was written. */
  readonly series: string;
  readonly isNewest?: boolean;
  /** Undefined for that of Debian 12, which is there for other tests. */
  readonly source?: KernelSource;
  readonly lockdown?: 'integrity' | 'confidentiality';
  readonly programs: { readonly born: boolean; readonly open: boolean; readonly known: boolean };
  /** Where not all of it is had: as the status says it. */
  readonly why?: string;
  /** False where the kernel hands none over. */
  readonly descriptors?: false;
  /** What descriptors do there instead, for one process that has both ends of a connection, and a listener. */
  readonly byDescriptors?: { readonly repaired: number; readonly failures: Readonly<Record<string, number>> };
}

const all = { born: true, open: true, known: true };
const none = { born: false, open: false, known: false };
const focal: KernelSource = {
  suite: 'focal',
  ubuntu: {
    // Of linux-image and of linux-modules.
    sha256: [
      '5f619f3d9123f40603a164c6358fdcb1485b742c9bf497099bcc642076e0e782',
      '82cf8aa4ab5d8b4bb78f452c7069ffc7429fe1d0e2eef13f4b35ebe0b848b1a4',
    ],
  },
};

export const kernelCases: readonly KernelCase[] = [
  {
    name: 'Ubuntu 20.04',
    series: '5.4',
    source: focal,
    programs: none,
    why: 'no BTF, and ENOSYS at pidfd_getfd',
    descriptors: false,
    byDescriptors: { repaired: 0, failures: { ENOSYS: 1 } },
  },
  {
    name: 'Debian 11',
    series: '5.10',
    source: { suite: 'bullseye' },
    programs: none,
    why: 'EINVAL at load',
    byDescriptors: { repaired: 3, failures: {} },
  },
  { name: 'Ubuntu 22.04', series: '5.15', source: jammy, programs: all },
  { name: 'Ubuntu 22.04', series: '5.15', source: jammy, lockdown: 'confidentiality', programs: all },
  { name: 'Debian 12', series: '6.1', programs: all },
  {
    name: 'Debian 12, arm64',
    series: '6.1',
    source: { suite: 'bookworm', architecture: 'arm64' },
    programs: all,
  },
  { name: 'Debian 12', series: '6.1', lockdown: 'integrity', programs: all },
  { name: 'Debian 12', series: '6.1', lockdown: 'confidentiality', programs: all },
  { name: 'Debian 13', series: '6.12', source: { suite: 'trixie' }, programs: all },
  {
    name: 'Debian 13',
    series: '6.12',
    source: { suite: 'trixie' },
    lockdown: 'confidentiality',
    programs: all,
  },
  {
    name: 'the newest for Debian 13 (backports)',
    series: '7.3',
    isNewest: true,
    source: newest,
    programs: all,
  },
];
