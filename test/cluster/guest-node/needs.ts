import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { nodeFolder } from '../components.ts';
import { baseImage } from '../image.ts';
import type { Lab } from '../lab.ts';
import type { Part, Provisions } from '../prepare.ts';
import type { ProgramSet } from '../program.ts';
import { crio, gvisor } from '../program.ts';
import type { Guest } from '../roster.ts';
import type { Debian } from './debian.ts';
import { debian } from './debian.ts';
import type { Disk } from './disk.ts';
import { makeStore, programDisk, storeDisk } from './disk.ts';
import { equipment } from './equipment.ts';
import { bootGuest } from './guest-node.ts';
import type { GuestSpec } from './guest-spec.ts';
import type { KernelName } from './kernel.ts';
import { guestKernel, isRelease } from './kernel.ts';

/** Archives: those that every cluster has, and those that only this one has. */
export interface GuestImages {
  readonly own: readonly string[];
  readonly further: readonly string[];
}

interface LabParts {
  /** Folders of programs. */
  readonly programs: readonly string[];
  readonly archives: readonly string[];
}

/** What has to be there before these guests can start; each is asked for when those before it are made. */
export function guestNeeds(
  specs: readonly GuestSpec[],
  { programs, archives }: LabParts,
): readonly (() => Provisions)[] {
  if (specs.length === 0) return [];
  const runtimes = [...new Set(specs.map(({ runtime }) => runtime))];
  const programDisks = new Map(
    specs.map(
      (spec) =>
        [
          ownPrograms(spec)
            .map(({ name }) => name)
            .join(),
          spec,
        ] as const,
    ),
  );
  const kernels = [...new Set(specs.map(({ kernel }) => kernel))];
  const releases = [...new Set([...specs.map(({ release }) => release), ...kernels.filter(isRelease)])];
  return [
    () => ({
      unpacked: [equipment()],
      programs: [...programDisks.values()].flatMap(ownPrograms),
      images: [baseImage()],
    }),
    () => ({ parts: [...releases.map(debian).map(debianPart), ...kernels.flatMap(kernelPart)] }),
    () => ({
      parts: [
        ...[...programDisks.values()].map((spec) =>
          diskPart('programs', programDisk(programsFor(spec, programs))),
        ),
        ...runtimes.map((runtime) =>
          diskPart(`images of ${runtime}`, storeDisk({ runtime, archives: withBase(archives), programs })),
        ),
      ],
    }),
  ];
}

/** Boots a guest with the disks that were made for it; what is given back throws once it has ended. */
export async function startGuest(lab: Lab, guest: Guest, { own, further }: GuestImages): Promise<() => void> {
  const { runtime } = guest.spec;
  const programs = lab.state.programs;
  const store = join(nodeFolder(lab.folder, guest.name), 'store.ext4');
  const facts = { runtime, archives: withBase(own), programs };
  mkdirSync(nodeFolder(lab.folder, guest.name), { recursive: true });
  // What only this cluster has is not worth a place in the cache.
  if (further.length > 0) await makeStore({ ...facts, archives: [...facts.archives, ...further] }, store);
  return bootGuest(lab, guest, {
    programs: programDisk(programsFor(guest.spec, programs)).image,
    store: further.length > 0 ? store : storeDisk(facts).image,
  });
}

/** Of the product's image, most is its base, which every build has in common: importing that takes minutes under emulation. */
function withBase(archives: readonly string[]): string[] {
  return [...archives, baseImage().archive];
}

/** What a guest runs that no other node does. */
function ownPrograms(spec: GuestSpec): ProgramSet[] {
  if (spec.runtime === 'crio') return [crio()];
  return spec.gvisor ? [gvisor()] : [];
}

function programsFor(spec: GuestSpec, programs: readonly string[]): string[] {
  return [...programs, ...ownPrograms(spec).map(({ place }) => place)];
}

function debianPart({ release, isBuilt, build }: Debian): Part {
  return { title: `Debian ${release} for guests (about 2 minutes, once)`, isBuilt, build };
}

/** Of those that come with no Debian. */
function kernelPart(name: KernelName): Part[] {
  if (isRelease(name)) return [];
  const { isBuilt, build } = guestKernel(name);
  return [{ title: `kernel ${name} for guests`, isBuilt, build }];
}

function diskPart(what: string, { isBuilt, build }: Disk): Part {
  return { title: `disk of guests: ${what}`, isBuilt, build };
}
