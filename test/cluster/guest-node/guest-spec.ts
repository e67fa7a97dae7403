import type { Architecture } from '../../../scripts/release/architecture.ts';
import type { Release } from './debian.ts';
import type { KernelName } from './kernel.ts';
import { kernelNames } from './kernel.ts';

const monitors = ['pod', 'system.slice'] as const;

/** What somebody wants of a node that is a machine of its own, as `trixie,crio,crun,conmon=pod`. */
export type GuestSpec = {
  readonly architecture: Architecture;
  readonly release: Exclude<Release, 'bullseye'>;
  /** Whose kernel it runs; its own unless told otherwise. */
  readonly kernel: KernelName;
} & (
  | {
      readonly runtime: 'containerd';
      /** Beside runc, for pods that ask for it by a RuntimeClass of one of `gvisorHandlers`. */
      readonly gvisor: boolean;
    }
  | {
      readonly runtime: 'crio';
      readonly oci: 'runc' | 'crun';
      /** The control group of the program that watches over a container: `pod` as OpenShift has it. */
      readonly conmon: (typeof monitors)[number];
    }
);

/** The one that everybody gives it, and one that says nothing. */
export const gvisorHandlers = ['runsc', 'strict'] as const;

const grammar =
  'write RELEASE,RUNTIME and what else is wanted: bookworm,containerd, trixie,crio, trixie,crio,crun,conmon=pod, trixie,containerd,gvisor or trixie,containerd,arm64';
/** The only one of its architecture. */
const ofArm = 'trixie,containerd,arm64';

/** Throws what to write instead. */
export function parseGuest(text: string): GuestSpec {
  const [release, runtime, ...rest] = text.split(',');
  const options = optionsIn(rest);
  if (options.has('arm64')) refuseOnArm(text.split(','));
  const base = {
    architecture: options.has('arm64') ? ('arm64' as const) : ('amd64' as const),
    release: releaseIn(release),
    kernel: kernelIn(options.get('kernel') ?? release),
  };
  if (runtime === 'containerd') {
    refuse(options, ['oci', 'conmon'], 'only a guest with crio has a choice of');
    return { ...base, runtime, gvisor: options.has('gvisor') };
  }
  if (runtime !== 'crio')
    throw new Error(`${quoted(runtime)} is no runtime of a guest, containerd and crio are: ${grammar}`);
  refuse(options, ['gvisor'], 'only a guest with containerd has');
  const oci = options.get('oci') === 'crun' ? 'crun' : 'runc';
  if (oci === 'crun' && base.release === 'bookworm')
    throw new Error('crun of bookworm is older than what it is asked to run: choose trixie, or runc');
  return { ...base, runtime, oci, conmon: monitorIn(options.get('conmon') ?? 'system.slice') };
}

/** As `parseGuest` reads it. */
export function describeGuest(spec: GuestSpec): string {
  const runtime =
    spec.runtime === 'crio'
      ? ['crio', spec.oci, `conmon=${spec.conmon}`]
      : [spec.runtime, ...(spec.gvisor ? ['gvisor'] : [])];
  const architecture = spec.architecture === 'arm64' ? [spec.architecture] : [];
  const kernel = spec.kernel === spec.release ? [] : [`kernel=${spec.kernel}`];
  return [spec.release, ...runtime, ...architecture, ...kernel].join();
}

/** Options that are named by themselves. */
const switches = ['gvisor', 'arm64'];

function optionsIn(words: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const word of words) {
    const plain = switches.includes(word) ? word : 'oci';
    const [, key = plain, value = word] = /^(conmon|kernel)=(.*)$/.exec(word) ?? [];
    if (key === 'oci' && value !== 'runc' && value !== 'crun')
      throw new Error(
        `${quoted(word)} is no option of a guest, runc, crun, gvisor, arm64, conmon=… and kernel=… are: ${grammar}`,
      );
    if (options.has(key))
      throw new Error(`a guest has one ${key}, and ${quoted(word)} is a second: ${grammar}`);
    options.set(key, value);
  }
  return options;
}

function refuse(options: ReadonlyMap<string, string>, keys: readonly string[], why: string): void {
  const given = keys.find((key) => options.has(key));
  if (given !== undefined)
    throw new Error(
      `${why} ${given === 'oci' ? 'runc and crun' : given}: leave it out, or choose the other runtime`,
    );
}

function refuseOnArm(words: readonly string[]): void {
  const strange = words.find((word) => !ofArm.split(',').includes(word));
  if (strange !== undefined)
    throw new Error(
      `${quoted(strange)} is not to be had on a guest of arm64: write ${ofArm}, or leave out arm64`,
    );
}

function releaseIn(word: string | undefined): GuestSpec['release'] {
  if (word === 'bookworm' || word === 'trixie') return word;
  const why = word === 'bullseye' ? 'programs of today do not run on bullseye; its kernel does' : undefined;
  throw new Error(
    why === undefined
      ? `${quoted(word)} is no Debian of a guest, bookworm and trixie are: ${grammar}`
      : `${why}: write bookworm,containerd,kernel=bullseye`,
  );
}

function kernelIn(word: string | undefined): KernelName {
  const known = kernelNames.find((one) => one === word);
  if (known === undefined)
    throw new Error(`there is no kernel of ${quoted(word)}: choose one of ${kernelNames.join(', ')}`);
  return known;
}

function monitorIn(word: string): (typeof monitors)[number] {
  const known = monitors.find((one) => one === word);
  if (known === undefined)
    throw new Error(`conmon cannot be in ${quoted(word)}: write conmon=${monitors.join(' or conmon=')}`);
  return known;
}

function quoted(word: string | undefined): string {
  return JSON.stringify(word ?? '');
}
