/** Runtimes that give a pod a kernel, and so a network, of its own: nothing that is written on the host reaches its connections. */
export type SandboxRuntime = 'gVisor' | 'Kata';

/** What tells of the process by which the network of a pod was found. */
export interface RuntimeTraits {
  /** The file names of its program and of what started it: of a runtime and its shim, not of a tenant. Undefined where nobody may look. */
  readonly program: string | undefined;
  readonly starter: string | undefined;
  /** The devices of its network. */
  readonly devices: readonly string[];
}

/**
 * By what runs, since a handler may be called anything: gVisor's runsc is the oldest process of its pods, and a child of
 * its shim whatever that program is called (gvisor.dev/gvisor, shim/v1); Kata hands packets to its virtual machine, whichever runs
 * it, by a device that it calls `tap0_kata` (kata-containers, virtcontainers/network_linux.go and runtime-rs network_pair.rs), and what
 * runs it is a child of its shim. All that follows is that less is believed of that very pod.
 */
export function sandboxOf({ program, starter, devices }: RuntimeTraits): SandboxRuntime | undefined {
  const programs = [program ?? '', starter ?? ''];
  if (programs.some((name) => /^(containerd-shim-)?runsc\b/.test(name))) return 'gVisor';
  const isKata =
    programs.some((name) => /^containerd-shim-kata\b/.test(name)) ||
    devices.some((name) => /^tap\d+_kata$/.test(name));
  return isKata ? 'Kata' : undefined;
}

/** gVisor starts with the values of Linux whatever a spec says; Kata sets those of the spec inside its virtual machine. */
export function heedsSpec(sandbox: SandboxRuntime | undefined): boolean {
  return sandbox !== 'gVisor';
}

/** What a pod says of itself and of its owners. */
interface Claims {
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly apiVersion?: string; readonly kind?: string }[];
}

/**
 * Whether a virtual machine of KubeVirt runs in a pod: its guest has a kernel and connections of its own, which pass the
 * pod's network as packets. Anybody may write such a label: all that follows from it is that less is believed
 * of that pod.
 */
export function runsGuest({ labels = {}, ownerReferences = [] }: Claims): boolean {
  return (
    labels['kubevirt.io'] === 'virt-launcher' ||
    ownerReferences.some(
      ({ apiVersion = '', kind }) =>
        kind === 'VirtualMachineInstance' && apiVersion.startsWith('kubevirt.io/'),
    )
  );
}
