import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { archivesFor } from '../archive.ts';
import { armGo, armSeccomp } from '../arm64.ts';
import { nodeFolder } from '../components.ts';
import type { Image } from '../image.ts';
import { baseImage, nodeImages } from '../image.ts';
import type { Lab } from '../lab.ts';
import type { Part, Provisions } from '../prepare.ts';
import type { ProgramSet } from '../program.ts';
import { crio, gvisor, nodeProgramSets } from '../program.ts';
import type { Guest } from '../roster.ts';
import { stocks } from '../stock.ts';
import type { Debian } from './debian.ts';
import { debian } from './debian.ts';
import type { Disk } from './disk.ts';
import { makeStore, programDisk, storeDisk } from './disk.ts';
import { equipment } from './equipment.ts';
import { bootGuest } from './guest-node.ts';
import type { GuestSpec } from './guest-spec.ts';
import { guestKernel, isRelease } from './kernel.ts';

interface LabParts {
  /** Its version. */
  readonly kubernetes: string;
  /** Folders of programs. */
  readonly programs: readonly string[];
}

/** What has to be there before these guests can start; each is asked for when those before it are made. */
export function guestNeeds(specs: readonly GuestSpec[], lab: LabParts): readonly (() => Provisions)[] {
  if (specs.length === 0) return [];
  const [foreign, native] = [specs.filter(isForeign), specs.filter((spec) => !isForeign(spec))];
  const programs = (some: readonly GuestSpec[]) =>
    distinct(
      some.flatMap((spec) => ownPrograms(spec, lab)),
      ({ place }) => place,
    );
  const debians = specs.flatMap(({ architecture, release, kernel }) =>
    [release, ...(isRelease(kernel) ? [kernel] : [])].map((one) => debian(one, architecture)),
  );
  const kernels = distinct(specs, ({ kernel }) => kernel).flatMap(kernelPart);
  const { unpacked = [], parts = [] } = stocks.arm64.needs;
  return [
    () => ({
      programs: programs(native),
      unpacked: [equipment(), ...(foreign.length > 0 ? [equipment('arm64'), ...unpacked] : [])],
      parts: foreign.length > 0 ? [...parts, armSeccomp] : [],
    }),
    () => ({
      programs: programs(foreign),
      images: distinct(specs.flatMap(imagesFor), ({ archive }) => archive),
      parts: [...distinct(debians, ({ image }) => image).map(debianPart), ...kernels],
    }),
    () => {
      const disks = specs.flatMap((spec) => [
        { what: 'programs', disk: programDisk(programsFor(spec, lab)) },
        { what: `images of ${spec.runtime}`, disk: storeDisk(storeOf(spec, lab)) },
      ]);
      return { parts: distinct(disks, ({ disk }) => disk.image).map(diskPart) };
    },
  ];
}

/** Boots a guest with the disks that were made for it; what is given back throws once it has ended. */
export async function startGuest(lab: Lab, guest: Guest, further: readonly string[]): Promise<() => void> {
  const { spec } = guest;
  const facts = storeOf(spec, lab.state);
  const own = await archivesFor(spec.architecture, further);
  const store = join(nodeFolder(lab.folder, guest.name), 'store.ext4');
  mkdirSync(nodeFolder(lab.folder, guest.name), { recursive: true });
  // What only this cluster has is not worth a place in the cache.
  if (own.length > 0) await makeStore({ ...facts, archives: [...facts.archives, ...own] }, store);
  return bootGuest(lab, guest, {
    programs: programDisk(programsFor(spec, lab.state)).image,
    store: own.length > 0 ? store : storeDisk(facts).image,
  });
}

function isForeign({ architecture }: GuestSpec): boolean {
  return architecture !== 'amd64';
}

function storeOf(spec: GuestSpec, { programs }: LabParts) {
  const { architecture, runtime } = spec;
  return { architecture, runtime, programs, archives: imagesFor(spec).map(({ archive }) => archive) };
}

/** Of the product's image, most is its base, which every build has in common: importing that takes minutes under emulation. */
function imagesFor({ architecture }: GuestSpec): Image[] {
  const stock = stocks[architecture];
  return [...nodeImages(stock), baseImage(stock)];
}

/** What a guest runs that no node of this machine does. */
function ownPrograms(spec: GuestSpec, { kubernetes }: LabParts): ProgramSet[] {
  if (isForeign(spec)) return nodeProgramSets(kubernetes, { architecture: 'arm64', env: armGo });
  if (spec.runtime === 'crio') return [crio()];
  return spec.gvisor ? [gvisor()] : [];
}

function programsFor(spec: GuestSpec, lab: LabParts): string[] {
  const own = ownPrograms(spec, lab).map(({ place }) => place);
  return isForeign(spec) ? own : [...lab.programs, ...own];
}

function debianPart({ release, architecture, isBuilt, build }: Debian): Part {
  // Its packages are set up by programs of their own, which are emulated one by one.
  const [which, minutes] = architecture === 'amd64' ? [release, 2] : [`${release} of ${architecture}`, 20];
  return { title: `Debian ${which} for guests (about ${minutes} minutes, once)`, isBuilt, build };
}

/** Of those that come with no Debian. */
function kernelPart({ kernel, architecture }: GuestSpec): Part[] {
  if (isRelease(kernel)) return [];
  const { isBuilt, build } = guestKernel(kernel, architecture);
  return [{ title: `kernel ${kernel} for guests`, isBuilt, build }];
}

function diskPart({ what, disk: { isBuilt, build } }: { readonly what: string; readonly disk: Disk }): Part {
  return { title: `disk of guests: ${what}`, isBuilt, build };
}

function distinct<T>(all: readonly T[], key: (one: T) => string): T[] {
  return [...new Map(all.map((one) => [key(one), one])).values()];
}
