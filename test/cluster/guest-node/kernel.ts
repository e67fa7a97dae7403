import type { Architecture } from '../../../scripts/release/architecture.ts';
import { jammy, kernelImage, newest } from '../kernel-image.ts';
import type { Part } from '../prepare.ts';
import type { Release } from './debian.ts';
import { debian, releases } from './debian.ts';

/** By their ages: 5.10, 5.15, 6.1, 6.12, and what is the newest. */
export const kernelNames = ['bullseye', 'jammy', 'bookworm', 'trixie', 'newest'] as const;
export type KernelName = (typeof kernelNames)[number];

/** What a guest runs on the file system of whichever Debian. */
export interface GuestKernel extends Pick<Part, 'isBuilt' | 'build'> {
  readonly kernel: string;
  /** A folder named by the kernel's version, as in /lib/modules, and nothing beside it. */
  readonly modules: string;
}

export function guestKernel(name: KernelName, architecture: Architecture): GuestKernel {
  if (isRelease(name)) return debian(name, architecture);
  const source = name === 'jammy' ? jammy : newest;
  const { file, ...rest } = kernelImage({ ...source, architecture });
  return { ...rest, kernel: file };
}

/** Those that come with a Debian. */
export function isRelease(name: KernelName): name is Release {
  return releases.some((release) => release === name);
}
