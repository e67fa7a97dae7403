import type { GuestSpec } from '../cluster/guest-node/guest-spec.ts';
import { parseGuest } from '../cluster/guest-node/guest-spec.ts';

/** A node that is a machine of its own, and what its API server has to say of it. */
export interface Kind {
  /** As `--guest` takes it. */
  readonly name: string;
  readonly spec: GuestSpec;
  readonly kernel: RegExp;
  readonly runtime: RegExp;
  /** Its kernel gives a pod users of its own: files of images are mapped since Linux 5.19. */
  readonly hasUsers: boolean;
  /** What arms its new connections: Linux 5.10 loads none of our programs (docs/kernels.md). */
  readonly connections: 'BPF' | 'Descriptors';
}

/** Both runtimes, the programs that start containers and the places of the one that watches over them: in little time. */
export const usual: readonly Kind[] = [
  kind('bookworm,containerd', /^6\.1\./, /^containerd /),
  kind('trixie,crio,crun,conmon=pod', /^6\.12\./, /^cri-o /),
];

export const further: readonly Kind[] = [
  kind('trixie,crio', /^6\.12\./, /^cri-o /),
  kind('trixie,containerd,gvisor', /^6\.12\./, /^containerd /),
  kind('trixie,crio,kernel=newest', /^[7-9]\./, /^cri-o /),
  // Files of images are mapped for users since Linux 5.19.
  { ...kind('bookworm,containerd,kernel=jammy', /^5\.15\./, /^containerd /), hasUsers: false },
  {
    ...kind('bookworm,containerd,kernel=bullseye', /^5\.10\./, /^containerd /),
    hasUsers: false,
    connections: 'Descriptors',
  },
  kind('trixie,containerd,arm64', /^6\.12\..*-arm64$/, /^containerd /),
];

function kind(name: string, kernel: RegExp, runtime: RegExp): Kind {
  return { name, spec: parseGuest(name), kernel, runtime, hasUsers: true, connections: 'BPF' };
}
